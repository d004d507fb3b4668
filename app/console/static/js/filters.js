/* The filter row of a list. FAB's own parameters are kept: _flt_<operator's index>_<column>=value; the server gives one
   <template data-for="column"> for each filter, with its label, its operators and its field. */
(function () {
  'use strict';
  var beacon = window.beacon, words = beacon.words, numbered = 0;
  function each(list, fn) { Array.prototype.forEach.call(list, fn); }
  function find(list, fn) { return Array.prototype.find.call(list, fn); }

  document.querySelectorAll('form[data-filters]').forEach(function (form) {
    var segments = form.querySelector('.segs'), before = segments.querySelector('.dropdown') || segments.querySelector('button');
    var quick = {};

    /* fill `box` with the filter of a column, or append a new one that can be removed again */
    function build(column, box) {
      var template = form.querySelector('template[data-for="' + column + '"]');
      if (!template) return null;
      var added = !box, id = 'filter-' + (numbered++);
      if (added) { box = document.createElement('div'); box.className = 'seg'; segments.insertBefore(box, before); }
      box.appendChild(template.content.cloneNode(true));
      var label = box.querySelector('label'), operator = box.querySelector('.op');
      var input = box.querySelector('input, select:not(.op), textarea'), free = box.classList.contains('q');
      input.id = id;
      label.htmlFor = id;
      input.removeAttribute('required');
      input.removeAttribute('placeholder');
      if (input.type === 'checkbox') input = yes_no(input);
      if (input.tagName === 'SELECT') {
        input.removeAttribute('multiple');
        var blank = find(input.options, function (option) { return option.value === '' || option.value === '__None'; });
        if (!blank) { blank = new Option('', ''); input.add(blank, 0); }
        blank.value = '';
        if (!input.dataset.ajax) blank.text = words.any;
        input.value = '';
      }
      var contains = find(operator.options, function (option) { return option.text === words.contains; });
      if (contains) operator.value = contains.value;
      operator.hidden = operator.options.length < 2 || 'flag' in input.dataset || free || (!added && input.tagName === 'SELECT');
      if (free) input.placeholder = label.textContent;
      function name() { input.name = '_flt_' + operator.value + '_' + column; }
      operator.addEventListener('change', name);
      name();
      if (added) {
        var remove = document.createElement('button');
        remove.type = 'button';
        remove.className = 'tool x';
        remove.setAttribute('aria-label', words.remove + label.textContent);
        remove.textContent = '×';
        remove.onclick = function () { box.remove(); };
        box.appendChild(remove);
      }
      return { operator: operator, input: input, name: name, used: false };
    }

    /* A checkbox cannot say "any": a select of three takes its place. FAB knows "y" alone, so "no" is sent as
       "not equal to y", by the second operator. */
    function yes_no(box) {
      var select = document.createElement('select');
      select.className = 'form-control';
      select.id = box.id;
      select.dataset.flag = '';
      select.add(new Option(words.any, ''));
      select.add(new Option(words.yes, 'y'));
      select.add(new Option(words.no, 'n'));
      box.replaceWith(select);
      return select;
    }

    form.querySelectorAll('.seg[data-col]').forEach(function (box) { quick[box.dataset.col] = build(box.dataset.col, box); });

    /* put what is filtered by now back into the row: [[column, operator's name, value], …] */
    JSON.parse(form.dataset.active || '[]').forEach(function (active) {
      [].concat(active[2]).forEach(function (value) {
        var control = quick[active[0]];
        if (!control || control.used) control = build(active[0]);
        if (!control) return;
        control.used = true;
        each(control.operator.options, function (option) {
          if (option.text === active[1]) control.operator.value = option.value;
        });
        control.name();
        if ('flag' in control.input.dataset) {
          control.input.value = control.operator.selectedIndex === 0 ? 'y' : 'n';
          control.operator.selectedIndex = 0;
          control.name();
          return;
        }
        var url = control.input.dataset.ajax;
        if (!url || !value) { control.input.value = value; return; }
        control.input.add(new Option('#' + value, value, true, true));
        fetch(url + (url.indexOf('?') < 0 ? '?' : '&') + 'id=' + encodeURIComponent(value), { credentials: 'same-origin' })
          .then(function (answer) { return answer.ok ? answer.json() : []; })
          .then(function (rows) { if (rows[0] && control.input.tomselect) control.input.tomselect.updateOption(value, rows[0]); });
      });
    });
    form.querySelectorAll('.seg select:not(.op)').forEach(beacon.enhance);

    beacon.on('click', '[data-add]', function (event, link) {
      if (!form.contains(link)) return;
      event.preventDefault();
      var control = build(link.dataset.add);
      if (control.input.tagName === 'SELECT') beacon.enhance(control.input);
      (control.input.tomselect || control.input).focus();
    });
    beacon.on('click', '[data-more]', function (event, button) {
      if (form.contains(button)) button.setAttribute('aria-expanded', form.classList.toggle('is-open'));
    });
    /* empty filters do not go into the address */
    form.addEventListener('submit', function () {
      form.querySelectorAll('select[data-flag]').forEach(function (select) {
        if (select.value !== 'n') return;
        select.name = select.name.replace('_flt_0_', '_flt_1_');
        select.selectedOptions[0].value = 'y';
      });
      form.querySelectorAll('.seg input, .seg select').forEach(function (field) { if (!field.value) field.disabled = true; });
    });
    window.addEventListener('pageshow', function () {
      form.querySelectorAll('.seg :disabled').forEach(function (field) { field.disabled = false; });
    });
  });
})();
