/* What every page of the console does beyond plain HTML. It replaces FAB's ab.js, ab_actions.js, ab_keep_tab.js and
   all inline scripts, so the content security policy needs no exception. Everything works on `data-` attributes:
   data-side (menu drawer), data-big (big type), data-back, data-goto (a select of addresses), data-print,
   data-confirm and data-verb (ask first), data-list (selection and bulk bar), data-guard (unsaved changes),
   select[data-ajax] (a relation searched as one types), data-only-lost (scorecard). */
(function ($) {
  'use strict';
  var root = document.documentElement;
  var words = JSON.parse(document.body.dataset.words || '{}');

  /* call fn(event, element) when `type` happens in an element that matches `selector` */
  function on(type, selector, fn) {
    document.addEventListener(type, function (event) {
      var element = event.target.closest && event.target.closest(selector);
      if (element) fn(event, element);
    });
  }

  /* ---- frame ---- */
  var side = document.getElementById('side');
  function drawer(open) {
    var button = document.querySelector('[data-side]');
    side.classList.toggle('is-open', open);
    button.setAttribute('aria-expanded', open);
    if (open) { var first = side.querySelector('a'); if (first) first.focus(); } else button.focus();
  }
  on('click', '[data-side]', function () { drawer(!side.classList.contains('is-open')); });
  document.addEventListener('click', function (event) {
    if (side && side.classList.contains('is-open') && !event.target.closest('#side, [data-side]')) drawer(false);
  });
  document.addEventListener('keydown', function (event) {
    if (event.key === 'Escape' && side && side.classList.contains('is-open')) drawer(false);
  });
  on('click', '[data-big]', function () {
    var big = root.classList.toggle('big');
    document.querySelectorAll('[data-big]').forEach(function (button) { button.setAttribute('aria-pressed', big); });
    document.cookie = 'big=' + (big ? '1' : '') + ';path=/;SameSite=Lax;max-age=' + (big ? 31536000 : 0);
    document.dispatchEvent(new Event('bigtype'));
  });
  on('click', '[data-back]', function () { history.back(); });
  on('click', '[data-fold]', function (event, button) {   /* filters behind one button on phones */
    button.setAttribute('aria-expanded', button.closest('.filters').classList.toggle('is-open'));
  });
  on('click', '[data-print]', function () { window.print(); });
  on('change', '[data-goto]', function (event, select) { location.href = select.value; });

  /* ---- asking first: the button that asks is pressed again once the reader has agreed ---- */
  var asked = null, agree = document.getElementById('modal-confirm-ok');
  document.addEventListener('click', function (event) {
    var button = event.target.closest('[data-confirm]');
    if (!button || button === asked) return;
    event.preventDefault();
    asked = button;
    var bar = button.closest('.bulk'), how_many = '';
    if (bar) {
      how_many = words.selected.replace('{n}', bar.querySelector('[data-n]').textContent).replace('{measure}', bar.dataset.measure);
    }
    $('#confirm-text').text(button.dataset.confirm + how_many);
    agree.textContent = button.dataset.verb || button.textContent;
    $('#modal-confirm').modal('show');
  });
  $('#modal-confirm')
    .on('shown.bs.modal', function () { agree.focus(); })
    .on('hidden.bs.modal', function () { if (asked) asked.focus(); asked = null; });
  if (agree) agree.addEventListener('click', function () { if (asked) asked.click(); });
  document.addEventListener('htmx:beforeSwap', function (event) {   /* what asks is not exchanged under the reader's eyes */
    if (asked && event.detail.target.contains(asked)) event.detail.shouldSwap = false;
  });

  /* ---- selection of rows, list by list ---- */
  document.querySelectorAll('form[data-list]').forEach(function (form) {
    var bar = form.querySelector('.bulk'), all = form.querySelector('[data-all]');
    var rows = Array.prototype.slice.call(form.querySelectorAll('input[name=rowid]'));
    function draw() {
      var chosen = rows.filter(function (row) { return row.checked; }).length;
      rows.forEach(function (row) { row.closest('tr').classList.toggle('sel', row.checked); });
      if (bar) { bar.hidden = !chosen; bar.querySelector('[data-n]').textContent = chosen; }
      if (all) { all.checked = chosen > 0 && chosen === rows.length; all.indeterminate = chosen > 0 && chosen < rows.length; }
    }
    form.addEventListener('change', function (event) {
      if (event.target === all) rows.forEach(function (row) { row.checked = all.checked; });
      draw();
    });
    draw();
  });
  on('click', 'td.ck, th.ck', function (event, cell) {   /* the whole cell is the target */
    if (event.target === cell) cell.querySelector('input').click();
  });

  on('click', '[data-unfold]', function (event, button) {   /* tabs of related records that there are none of */
    var list = button.closest('ul');
    list.querySelectorAll('[data-folded]').forEach(function (tab) { tab.hidden = false; });
    button.closest('li').remove();
    list.querySelector('[data-folded] a').focus();
  });

  /* ---- tabs: the address says which one is open ---- */
  $('a[data-toggle=tab]').on('shown.bs.tab', function () {
    var hash = this.hash;
    history.replaceState(null, '', hash);
    $(this).closest('ul').find('[role=tab]').attr('aria-selected', 'false');
    this.setAttribute('aria-selected', 'true');
    document.querySelectorAll(hash + ' .pagination a, ' + hash + ' th a').forEach(function (link) { link.hash = hash; });
  });
  if (/^#[\w-]+$/.test(location.hash)) $('a[data-toggle=tab][href="' + location.hash + '"]').tab('show');

  /* ---- selects: tom-select, for relations with a search on the server (select[data-ajax]) ---- */
  function line(text) { return '<div class="no-results">' + text + '</div>'; }
  var render = {
    no_results: function (data, escape) { return line(escape(words.none_found)); },
    loading: function (data, escape) { return line(escape(words.loading)); },
    option: function (data, escape) {
      return '<div>' + escape(data.text) + (data.hint ? '<span class="hint">' + escape(data.hint) + '</span>' : '') + '</div>';
    }
  };
  /* Options come as [{value, text, hint}, …] from data-ajax?q=words; data-ajax?id=value answers the one row. */
  function enhance(select) {
    if (select.tomselect || select.classList.contains('op') || select.hasAttribute('data-goto')) return;
    var blank = select.options[0];
    if (!select.multiple && blank && blank.value === '' && !blank.text) blank.text = words.choose;
    var url = select.dataset.ajax, settings = { render: render, maxOptions: 200, placeholder: words.choose, hidePlaceholder: true };
    if (!url && !select.multiple && select.options.length < 12) return;   /* short lists stay as the browser shows them */
    if (select.multiple) { settings.plugins = []; settings.hidePlaceholder = false; }
    if (url) {
      settings.preload = 'focus';
      settings.searchField = ['text', 'hint'];
      settings.shouldLoad = function () { return true; };
      settings.load = function (query, done) {
        this.clearOptions();
        fetch(url + (url.indexOf('?') < 0 ? '?' : '&') + 'q=' + encodeURIComponent(query), { credentials: 'same-origin' })
          .then(function (answer) { return answer.ok ? answer.json() : []; })
          .then(done, function () { done(); });
      };
    }
    var label = select.getAttribute('aria-label'), described = select.getAttribute('aria-describedby');
    var control = new TomSelect(select, settings);
    select.setAttribute('aria-hidden', 'true');
    if (label) control.control_input.setAttribute('aria-label', label);
    if (described) control.control_input.setAttribute('aria-describedby', described);
  }
  document.querySelectorAll('.beacon-form select, select[data-ajax]').forEach(function (select) {
    if (!select.closest('[data-filters]')) enhance(select);
  });

  /* ---- unsaved changes: ask before the page is left ---- */
  document.querySelectorAll('form[data-guard]').forEach(function (form) {
    var changed = false;
    form.addEventListener('input', function () { changed = true; });
    form.addEventListener('change', function () { changed = true; });
    form.addEventListener('submit', function () { changed = false; });
    window.addEventListener('beforeunload', function (event) {
      if (changed) { event.preventDefault(); event.returnValue = form.dataset.guard; }
    });
  });

  /* ---- the first field in error takes the focus ---- */
  var wrong = document.querySelector('.beacon-form .has-error [aria-invalid]');
  if (wrong) (wrong.tomselect ? wrong.tomselect.control_input : wrong).focus();

  /* ---- scorecard: leaves without loss are hidden until asked for ---- */
  function only_lost(box) {
    document.querySelectorAll('.leaf.full').forEach(function (leaf) { leaf.hidden = box.checked; });
  }
  on('change', '[data-only-lost]', function (event, box) { only_lost(box); });
  document.querySelectorAll('[data-only-lost]').forEach(only_lost);

  window.beacon = { words: words, on: on, enhance: enhance };
})(jQuery);
