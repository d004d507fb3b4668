/* The page of the API: Swagger UI, signed in by the page's own session. */
(function () {
  "use strict";
  var place = document.getElementById("api");
  if (!place || typeof SwaggerUIBundle !== "function") { return; }
  var token = document.querySelector('meta[name="csrf-token"]');
  SwaggerUIBundle({
    url: place.dataset.document,
    domNode: place,
    deepLinking: true,
    docExpansion: "none",
    defaultModelsExpandDepth: -1,
    filter: true,
    validatorUrl: null,
    requestInterceptor: function (request) {
      if (token && request.method && request.method.toUpperCase() !== "GET") {
        request.headers["X-CSRFToken"] = token.content;
      }
      return request;
    }
  });
})();
