/* The editor of a rule's draft. htmx carries forms to the server and pieces of the page back; here is what it does not do:
   data-structure (a field that makes the form anew), data-command (a small button of a form), data-insert (puts a name into a
   formula), data-shows / data-when (fields that depend on a choice), data-columns (the columns of a chosen entity),
   data-faults (what is wrong, put at its field), data-chart-shape and data-chart-lights (drawn with ECharts). */
(function () {
  'use strict';
  var on = window.beacon.on;
  function each(list, fn) { Array.prototype.forEach.call(list, fn); }
  /* what matches within a piece of the page, the piece itself included */
  function within(root, selector, fn) {
    if (root.matches && root.matches(selector)) fn(root);
    each(root.querySelectorAll(selector), fn);
  }
  function token(name) { return getComputedStyle(document.documentElement).getPropertyValue('--' + name).trim(); }

  /* ---- saving ---- */
  /* a field that makes the form anew is sent when it has changed, and not also while one types */
  document.addEventListener('input', function (event) {
    if (event.target.closest('[data-structure], .insert, .choose')) event.stopPropagation();
  }, true);
  function send(form, values) {
    htmx.ajax('POST', form.getAttribute('hx-post'), { source: form, target: '#panel', swap: 'innerHTML', values: values || {} });
  }
  on('change', '#part-form [data-structure]', function (event, field) { send(field.form, { redraw: '1' }); });
  on('click', '[data-command]', function (event, button) { send(button.closest('form'), { redraw: '1', command: button.value }); });
  document.addEventListener('submit', function (event) {
    if (event.target.matches('#part-form, #text-form, [data-points]')) event.preventDefault();
  });
  on('click', '[data-open]', function (event, link) {
    event.preventDefault();
    var details = document.getElementById(link.dataset.open);
    details.open = true;
    details.scrollIntoView({ block: 'nearest' });
    var first = details.querySelector('input:not([type=hidden]), select');
    if (first) first.focus();
  });

  /* points are sent by the workshop itself, which stays, and not by the tree, which is drawn anew meanwhile */
  on('change', '[data-points] input', function (event, field) {
    var values = {};
    each(field.form.querySelectorAll('input[name^=weight-]'), function (input) { values[input.name] = input.value; });
    htmx.ajax('POST', field.form.getAttribute('action'), { source: document.getElementById('workshop'), swap: 'none', values: values });
  });
  /* the tree is drawn anew after every save: what is being typed in one of its fields meanwhile stays, and is sent next */
  var typed = null;
  document.addEventListener('htmx:oobBeforeSwap', function (event) {
    var field = document.activeElement, tree = document.getElementById('tree');
    if (!event.detail.target || event.detail.target.id !== 'tree' || !field || !tree.contains(field)) return;
    if (field.matches('input[name^=weight-]') && field.value !== field.defaultValue) typed = { id: field.id, value: field.value };
  });
  document.addEventListener('htmx:oobAfterSwap', function (event) {
    if (!typed || !event.detail.target || event.detail.target.id !== 'tree') return;
    var field = document.getElementById(typed.id);
    if (field) { field.focus(); field.value = typed.value; field.dataset.kept = '1'; }
    typed = null;
  });
  document.addEventListener('focusout', function (event) {
    var field = event.target;
    if (!field.dataset || !field.dataset.kept || !document.contains(field)) return;
    delete field.dataset.kept;
    if (field.value !== field.defaultValue) field.dispatchEvent(new Event('change', { bubbles: true }));
  });

  /* ---- formulas: what can be put into them ---- */
  function fill(select) {
    var palette = document.getElementById(select.dataset.palette);
    if (select.dataset.filled || !palette) return;
    select.appendChild(palette.content.cloneNode(true));
    select.dataset.filled = '1';
  }
  document.addEventListener('focusin', function (event) { if (event.target.matches && event.target.matches('.insert')) fill(event.target); });
  document.addEventListener('mousedown', function (event) { if (event.target.matches && event.target.matches('.insert')) fill(event.target); });
  on('change', '.insert', function (event, select) {
    var input = document.getElementById(select.dataset.insert), word = select.value;
    select.value = '';
    if (!word) return;
    var from = input.selectionStart === null ? input.value.length : input.selectionStart, to = input.selectionEnd || from;
    var before = input.value.slice(0, from), after = input.value.slice(to);
    if (before && !/[\s(]$/.test(before)) before += ' ';
    input.value = before + word + after;
    var at = (before + word).length - (word.slice(-2) === '()' ? 1 : 0);
    input.focus();
    input.setSelectionRange(at, at);
    input.dispatchEvent(new Event('input', { bubbles: true }));
  });

  /* ---- fields that depend on a choice ---- */
  function show(form) {
    each(form.querySelectorAll('[data-when]'), function (part) {
      var rule = part.dataset.when.split('='), select = form.querySelector('[data-shows="' + rule[0] + '"]');
      part.hidden = rule[1].split(',').indexOf(select.value) < 0;
      each(part.querySelectorAll('input, select'), function (field) { field.disabled = part.hidden; });
    });
  }
  on('change', '[data-shows]', function (event, select) { show(select.form); });
  function columns(form) {
    var source = form.querySelector('[data-source]'), how = form.querySelector('[data-how]'), box = form.querySelector('[data-column]');
    var wanted = how.value !== 'count' && how.value !== 'exists', select = box.querySelector('select');
    box.hidden = !wanted;
    if (!wanted || !source.value) return;
    var numbers = how.value === 'sum' || how.value === 'average' ? '&numbers=1' : '';
    fetch(select.dataset.columns + '?entity=' + source.value + numbers, { credentials: 'same-origin' })
      .then(function (answer) { return answer.json(); })
      .then(function (rows) {
        var kept = select.value;
        while (select.options.length > 1) select.remove(1);
        rows.forEach(function (row) { select.add(new Option(row[1], row[0])); });
        select.value = kept;
        if (select.value !== kept) select.value = '';
      });
  }
  on('change', '[data-source], [data-how]', function (event, select) { columns(select.form); });

  /* ---- faults at their fields ---- */
  function place_faults() {
    var holder = document.getElementById('field-faults'), form = document.getElementById('part-form');
    if (!holder || !form) return;
    var faults = JSON.parse(holder.dataset.faults || '{}');
    each(form.querySelectorAll('[data-fault]'), function (slot) {
      var found = faults[slot.dataset.fault] || [];
      slot.textContent = '';
      found.forEach(function (text) { var line = document.createElement('span'); line.textContent = text; slot.appendChild(line); });
      var field = document.getElementById(slot.dataset.fault);
      if (field) { if (found.length) field.setAttribute('aria-invalid', 'true'); else field.removeAttribute('aria-invalid'); }
    });
  }

  /* ---- charts ---- */
  function base() {
    return {
      animation: false, textStyle: { fontFamily: token('font'), fontSize: 13 },
      grid: { left: 44, right: 44, top: 16, bottom: 26 }, tooltip: { renderMode: 'richText', confine: true }
    };
  }
  function axis(settings) {
    return Object.assign({ type: 'value', axisTick: { show: false }, axisLabel: { color: token('ink-2') }, splitLine: { show: false } }, settings);
  }
  function bars(columns, colour) {
    return {
      type: 'custom', yAxisIndex: 0, z: 1, tooltip: { show: true },
      dimensions: ['from', 'to', 'n'], encode: { x: [0, 1], y: 2, tooltip: [0, 1, 2] },
      data: columns.map(function (column) { return column.slice(0, 3); }),
      renderItem: function (params, api) {
        var low = api.coord([api.value(0), api.value(2)]), high = api.coord([api.value(1), 0]);
        return {
          type: 'rect', shape: { x: low[0] + 1, y: low[1], width: Math.max(1, high[0] - low[0] - 2), height: high[1] - low[1] },
          style: { fill: colour(columns[params.dataIndex]) }
        };
      }
    };
  }
  function bounds(columns) { return [columns[0][0], columns[columns.length - 1][1]]; }

  /* points of bands or of a curve over today's figures; a point can be dragged, its row follows */
  function shape(element) {
    var data = JSON.parse(element.dataset.chartShape), edges = bounds(data.columns), chart = echarts.init(element, null, { renderer: 'svg' });
    function line() {
      var points = data.points.slice().sort(function (a, b) { return a[0] - b[0]; });
      if (!points.length) return [];
      if (!data.steps) return [[edges[0], points[0][1]]].concat(points, [[edges[1], points[points.length - 1][1]]]);
      var steps = [[edges[0], points[0][0] > edges[0] ? 0 : points[0][1]]];
      points.forEach(function (point) { steps.push([point[0], steps[steps.length - 1][1]], [point[0], point[1]]); });
      steps.push([edges[1], points[points.length - 1][1]]);
      return steps;
    }
    function option() {
      return Object.assign(base(), {
        xAxis: axis({ min: edges[0], max: edges[1], axisLine: { lineStyle: { color: token('control') } } }),
        yAxis: [axis({ splitNumber: 3, minInterval: 1, splitLine: { show: true, lineStyle: { color: token('line-2') } } }), axis({ min: 0, max: 100, interval: 50, show: data.points.length > 0 })],
        series: [
          bars(data.columns, function () { return token('brand-line'); }),
          { type: 'line', yAxisIndex: 1, data: line(), symbol: 'none', silent: true, z: 2, lineStyle: { color: token('brand-deep'), width: 2 } },
          { type: 'scatter', yAxisIndex: 1, data: data.points, z: 3, symbolSize: 12, silent: true, itemStyle: { color: token('brand'), borderColor: '#fff', borderWidth: 2 } }
        ]
      });
    }
    chart.setOption(option());
    /* by the chart's own events: handles drawn over it would carry inline styles, which the policy forbids */
    var finder = { xAxisIndex: 0, yAxisIndex: 1 }, held = -1;
    function nearest(x, y) {
      var best = -1, reach = 18;
      data.points.forEach(function (point, number) {
        var at = chart.convertToPixel(finder, point), away = Math.hypot(at[0] - x, at[1] - y);
        if (away < reach) { reach = away; best = number; }
      });
      return best;
    }
    if (data.movable) {
      chart.getZr().on('mousedown', function (event) { held = nearest(event.offsetX, event.offsetY); });
      chart.getZr().on('mousemove', function (event) { if (held >= 0) moved(held, [event.offsetX, event.offsetY], false); });
      chart.getZr().on('mouseup', function (event) { if (held >= 0) moved(held, [event.offsetX, event.offsetY], true); held = -1; });
      chart.getZr().on('globalout', function () { held = -1; });
    }
    function moved(number, pixel, done) {
      var found = chart.convertFromPixel(finder, pixel), width = edges[1] - edges[0];
      var step = Math.pow(10, Math.floor(Math.log10(width / 100)));
      var start = +(Math.round(found[0] / step) * step).toPrecision(6), score = Math.max(0, Math.min(100, Math.round(found[1])));
      data.points[number] = [start, score];
      chart.setOption({ series: [{}, { data: line() }, { data: data.points }] });
      var rows = document.querySelectorAll('#part-form .pts tbody tr'), row = rows[number];
      if (!row) return;
      row.querySelector('.pt-start').value = start;
      row.querySelector('.pt-score').value = score;
      if (done) row.querySelector('.pt-start').dispatchEvent(new Event('input', { bubbles: true }));
    }
    window.addEventListener('resize', function () { if (document.contains(element)) chart.resize(); });
  }

  /* a coloured scale under today's scores or values */
  function lights(element) {
    var data = JSON.parse(element.dataset.chartLights), edges = bounds(data.columns), chart = echarts.init(element, null, { renderer: 'svg' });
    var known = { red: token('red'), orange: token('orange'), yellow: token('yellow'), green: token('green'), blue: token('brand') };
    chart.setOption(Object.assign(base(), {
      xAxis: axis({ min: edges[0], max: edges[1], axisLine: { lineStyle: { color: token('control') } } }),
      yAxis: [axis({ splitNumber: 3, minInterval: 1, splitLine: { show: true, lineStyle: { color: token('line-2') } } })],
      series: [Object.assign(bars(data.columns, function (column) { return known[column[3]] || token('line'); }), {
        markLine: {
          silent: true, symbol: 'none', lineStyle: { color: token('ink-2'), type: 'solid' }, label: { formatter: '{c}', color: token('ink') },
          data: data.edges.map(function (edge) { return { xAxis: edge[1] }; })
        }
      })]
    }));
    window.addEventListener('resize', function () { if (document.contains(element)) chart.resize(); });
  }

  /* ---- whenever a piece of the page is there anew ---- */
  function once(element, fn) {
    if (element.dataset.dressed) return;
    element.dataset.dressed = '1';
    fn(element);
  }
  function dress(root) {
    if (!root.querySelectorAll) return;
    within(root, '[data-chart-shape]', function (element) { once(element, shape); });
    within(root, '[data-chart-lights]', function (element) { once(element, lights); });
    within(root, '[data-counts]', function (holder) {
      var counts = JSON.parse(holder.dataset.counts);
      each(document.querySelectorAll('#part-form [data-count]'), function (cell) {
        var n = counts[+cell.dataset.count];
        cell.textContent = n === undefined ? '' : n;
      });
    });
    within(root, '[data-count-of]', function (count) {
      var cell = document.querySelector('[data-light-count="' + count.dataset.countOf + '"]');
      if (cell) cell.textContent = count.dataset.n;
    });
    within(root, 'form[data-new-node]', show);
    within(root, 'select[data-ajax]', function (select) { window.beacon.enhance(select); });
    place_faults();
  }
  document.addEventListener('htmx:load', function (event) { dress(event.target); });
  document.addEventListener('htmx:afterSettle', place_faults);
  document.addEventListener('DOMContentLoaded', function () { dress(document); });
})();
