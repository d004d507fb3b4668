/* Charts on ECharts 6: SVG, so sharp on paper; no animation; colours from tokens.css. A chart is
   <div data-chart="kind" data-figures="{…}">, written by the macro `chart`, which puts a table of the same figures beside it.

   radar        {names: [], self: [], peers: [], most: 100}           peers may be null
   score_trend  {periods: [], self: [], peers: [], bands: [[light, from, to], …]}   a score may be null
   light_trend  {periods: [], red: [], orange: [], yellow: []} */
(function () {
  'use strict';
  var words = window.beacon.words, drawn = [];
  function token(name) { return getComputedStyle(document.documentElement).getPropertyValue('--' + name).trim(); }
  function size(px) { return px * (document.documentElement.classList.contains('big') ? 1.125 : 1); }
  function word(light) { return words[light]; }

  function base() {
    return {
      animation: false,
      textStyle: { fontFamily: token('font'), fontSize: size(13) },
      tooltip: { trigger: 'axis', renderMode: 'richText', confine: true }
    };
  }
  function category(names, settings) {
    return Object.assign({
      type: 'category', data: names, axisTick: { show: false }, splitLine: { show: false },
      axisLine: { lineStyle: { color: token('control') } },
      axisLabel: { color: token('ink-2'), fontSize: size(13), hideOverlap: true }
    }, settings);
  }
  function value(settings) {
    return Object.assign({
      type: 'value', axisLine: { show: false }, axisTick: { show: false },
      axisLabel: { color: token('ink-2'), fontSize: size(13) }, splitLine: { lineStyle: { color: token('line-2') } }
    }, settings);
  }
  function dashed(name, data) {
    return { name: name, type: 'line', data: data, symbol: 'none', lineStyle: { color: token('ink-3'), type: 'dashed', width: 1.5 } };
  }
  /* Round edges for an axis around the figures, so that a change of two points is seen. */
  function around(figures, bands) {
    var known = figures.filter(function (figure) { return figure !== null && figure !== undefined; });
    var low = bands.length ? bands[0][1] : 0, high = bands.length ? bands[bands.length - 1][2] : 100, step = (high - low) / 10;
    if (!known.length) return [low, high, step * 2];
    var least = Math.min.apply(null, known), most = Math.max.apply(null, known);
    var from = Math.max(low, low + Math.floor((least - low) / step - 1) * step), to = Math.min(high, low + Math.ceil((most - low) / step + 1) * step);
    return [from, to, to - from > step * 5 ? step * 2 : step];
  }

  var kinds = {
    /* told apart by line style, marker and the word at the line's end */
    light_trend: function (d) {
      var styles = { red: ['rect', 'solid', token('red')], orange: ['triangle', 'dashed', '#c8610a'], yellow: ['diamond', 'dotted', '#a88400'] };
      return Object.assign(base(), {
        grid: { left: 36, right: size(86), top: 14, bottom: 26 },
        xAxis: category(d.periods, { boundaryGap: false }), yAxis: value({ splitNumber: 4, minInterval: 1 }),
        series: Object.keys(styles).map(function (light) {
          var style = styles[light];
          return {
            name: word(light), type: 'line', data: d[light], symbol: style[0], symbolSize: 9,
            itemStyle: { color: token(light), borderColor: token(light + '-d'), borderWidth: 1 },
            lineStyle: { color: style[2], type: style[1], width: 2 },
            endLabel: { show: true, formatter: word(light) + ' {c}', color: token(light + '-t'), fontSize: size(13), fontWeight: 600, distance: 8 },
            labelLayout: { moveOverlap: 'shiftY' }
          };
        })
      });
    },
    score_trend: function (d) {
      var edges = around(d.self.concat(d.peers || []), d.bands), last = d.self.length - 1;
      var areas = d.bands.filter(function (band) { return band[2] > edges[0] && band[1] < edges[1]; }).map(function (band) {
        return [{
          yAxis: Math.max(band[1], edges[0]), itemStyle: { color: token(band[0] + '-s') },
          label: { show: true, position: 'right', formatter: word(band[0]), color: token(band[0] + '-t'), fontSize: size(13), distance: 6 }
        }, { yAxis: Math.min(band[2], edges[1]) }];
      });
      return Object.assign(base(), {
        grid: { left: 40, right: size(58), top: 20, bottom: 26 },
        xAxis: category(d.periods), yAxis: value({ min: edges[0], max: edges[1], interval: edges[2], splitLine: { show: false } }),
        series: [{
          name: words.self, type: 'line', data: d.self, symbol: 'circle', symbolSize: 8, z: 3,
          lineStyle: { color: token('ink'), width: 2 }, itemStyle: { color: token('ink') },
          label: {
            show: true, position: 'top', color: token('ink'), fontSize: size(13),
            formatter: function (point) { return (point.dataIndex === 0 || point.dataIndex === last) && point.value != null ? (+point.value).toFixed(1) : ''; }
          },
          markArea: { silent: true, data: areas }
        }].concat(d.peers ? [dashed(words.peers, d.peers)] : [])
      });
    },
    /* a dimension without data is left out: it is not zero (the table beside the chart still names it) */
    radar: function (all, element) {
      var known = all.self.map(function (rate, i) { return rate == null ? -1 : i; }).filter(function (i) { return i >= 0; });
      function of_known(list) { return list && known.map(function (i) { return list[i]; }); }
      var d = { names: of_known(all.names), self: of_known(all.self), peers: of_known(all.peers), most: all.most };
      var narrow = element.clientWidth < 24 * size(13), count = d.names.length;
      /* only labels beside the figure cost it width: those are broken into lines, Chinese ones where space is short */
      function beside(i) { return Math.abs(Math.sin(2 * Math.PI * i / count)) > 0.2; }
      function broken(name) {
        if (name.indexOf(' ') >= 0) return name.length > 9 ? name.replace(/ /g, '\n') : name;
        var half = Math.floor(name.length / 2);
        return narrow && name.length > 3 && name.charCodeAt(0) > 255 ? name.slice(0, half) + '\n' + name.slice(half) : name;
      }
      var labels = d.names.map(function (name, i) { return (beside(i) ? broken(name) : name) + '\n' + Math.round(d.self[i]); });
      /* the widest line of a label, in characters: a Latin letter takes about 0.56 of a Chinese one */
      var widest = Math.max.apply(null, labels.filter(function (label, i) { return beside(i); }).join('\n').split('\n').map(function (line) {
        return line.split('').reduce(function (sum, letter) { return sum + (letter.charCodeAt(0) > 255 ? 1 : 0.56); }, 0);
      }));
      var farthest = Math.max.apply(null, labels.map(function (label, i) { return Math.abs(Math.sin(2 * Math.PI * i / count)); }));
      var series = [{
        name: words.self, value: d.self, lineStyle: { color: token('brand'), width: 2 }, itemStyle: { color: token('brand') },
        areaStyle: { color: token('brand'), opacity: 0.12 }
      }];
      if (d.peers) series.unshift({ name: words.peers, value: d.peers, symbol: 'none', lineStyle: { color: token('ink-3'), type: 'dashed', width: 1.5 } });
      return Object.assign(base(), {
        tooltip: { trigger: 'item', renderMode: 'richText', confine: true },
        radar: {
          indicator: labels.map(function (label) { return { name: label, min: 0, max: d.most || 100 }; }),
          radius: Math.max(40, Math.min(element.clientHeight / 2 - 3.2 * size(17), (element.clientWidth / 2 - widest * size(13) - 16) / farthest)), center: ['50%', '50%'], splitNumber: 4, splitArea: { show: false },
          axisName: { color: token('ink'), fontSize: size(13), lineHeight: size(17) },
          splitLine: { lineStyle: { color: token('line-2') } }, axisLine: { lineStyle: { color: token('line-2') } }
        },
        series: [{ type: 'radar', symbolSize: 6, data: series }]
      });
    }
  };

  document.querySelectorAll('[data-chart]').forEach(function (element) {
    var figures = JSON.parse(element.dataset.figures), make = kinds[element.dataset.chart];
    var chart = echarts.init(element, null, { renderer: 'svg' });
    function draw() { chart.setOption(make(figures, element), true); }
    draw();
    drawn.push({ chart: chart, draw: draw });
  });
  window.addEventListener('resize', function () { drawn.forEach(function (one) { one.chart.resize(); one.draw(); }); });
  document.addEventListener('bigtype', function () { drawn.forEach(function (one) { one.chart.resize(); one.draw(); }); });
})();
