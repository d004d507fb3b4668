/* Lists people work in: column order, menus that stay open while one fills them in, counts at quick filters, hints at
   likely duplicates, keys (“/”, “n”, “?”, Ctrl+Enter). Works on data-up, data-keep-open, data-counts, data-alike,
   data-new, data-keys. */
(function () {
  'use strict';
  var beacon = window.beacon;

  beacon.on('click', '[data-up]', function (event, button) {
    var item = button.closest('li'), before = item.previousElementSibling;
    if (before) item.parentNode.insertBefore(item, before);
    button.focus();
  });
  document.querySelectorAll('[data-keep-open]').forEach(function (menu) {
    menu.addEventListener('click', function (event) { event.stopPropagation(); });
  });

  /* Ctrl+Enter saves the form one is in, as its first button would */
  document.addEventListener('keydown', function (event) {
    var form = event.target.closest && event.target.closest('form.beacon-form');
    if (!form || event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    var button = form.querySelector('.formbar .btn-primary');
    if (button) button.click();
  });

  /* “/” leads to the search of the list, else of the page's head; “n” to a new record; “?” says so */
  function typing(element) { return element.isContentEditable || /^(INPUT|SELECT|TEXTAREA)$/.test(element.tagName); }
  document.addEventListener('keydown', function (event) {
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target) || document.querySelector('.modal.in')) return;
    if (event.key === '/') {
      var search = document.querySelector('.filters .q input') || document.getElementById('find');
      if (search) { event.preventDefault(); search.focus(); search.select(); }
    } else if (event.key === '?') {
      jQuery('#keys').modal('show');
    } else if (event.key === 'n') {
      var add = document.querySelector('[data-new]');
      if (add) add.click();
    }
  });
  beacon.on('click', '[data-keys]', function (event) { event.preventDefault(); jQuery('#keys').modal('show'); });

  /* a field that is typed into on the bulk edit page shall change */
  document.querySelectorAll('.bulkfield').forEach(function (box) {
    box.addEventListener('change', function (event) {
      if (event.target.name !== 'set') box.querySelector('[name=set]').checked = true;
    });
  });

  /* how many rows each choice would leave */
  document.querySelectorAll('form[data-counts]').forEach(function (form) {
    fetch(form.dataset.counts, { credentials: 'same-origin' })
      .then(function (answer) { return answer.ok ? answer.json() : {}; })
      .then(function (counts) {
        Object.keys(counts).forEach(function (column) {
          var select = form.querySelector('.seg[data-col="' + column + '"] select:not(.op)');
          if (!select) return;
          Array.prototype.forEach.call(select.options, function (option) {
            if (!option.value) return;
            var key = 'flag' in select.dataset ? { y: 'true', n: 'false' }[option.value] : option.value;
            var words = option.text + '（' + (counts[column][key] || 0) + '）';
            if (select.tomselect) select.tomselect.updateOption(option.value, { value: option.value, text: words });
            else option.text = words;
          });
        });
      });
  });

  /* rows like the one being entered */
  document.querySelectorAll('[data-alike]').forEach(function (box) {
    var form = box.closest('form'), columns = box.dataset.columns.split(','), asked = '';
    function look() {
      var data = new FormData();
      data.append('csrf_token', form.querySelector('[name=csrf_token]').value);
      data.append('row_id', box.dataset.row);
      columns.forEach(function (column) {
        var field = form.elements[column];
        data.append(column, field ? field.value : '');
      });
      var key = columns.map(function (column) { return data.get(column); }).join('\n');
      if (key === asked) return;
      asked = key;
      fetch(box.dataset.alike, { method: 'POST', body: data, credentials: 'same-origin' })
        .then(function (answer) { return answer.ok ? answer.json() : []; })
        .then(function (rows) {
          var list = box.querySelector('ul');
          list.textContent = '';
          rows.forEach(function (row) {
            var item = document.createElement('li'), link = document.createElement('a');
            link.href = row.url;
            link.target = '_blank';
            link.rel = 'noopener';
            link.textContent = row.name;
            item.append(link, row.hint ? ' · ' + row.hint : '');
            list.append(item);
          });
          box.hidden = !rows.length;
        });
    }
    form.addEventListener('change', function (event) { if (columns.indexOf(event.target.name) >= 0) look(); });
  });
})();
