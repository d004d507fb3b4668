/* Boards: cards are moved by dragging, or by the “Move” button and the keyboard. What a card may become is asked when it
   is touched (data-moves: [{to: [state, …], label, url, asks, question}, …]); each way leads through the same form or
   question as the button on the record's page. */
(function () {
  'use strict';
  var beacon = window.beacon, words = beacon.words, held = null;

  document.querySelectorAll('[data-board]').forEach(function (board) {
    var template = document.querySelector('template[data-move-form]'), said = document.querySelector('[data-said]');

    function moves_of(card) {
      if (!card.moves) {
        card.moves = fetch(card.dataset.moves, { credentials: 'same-origin' }).then(function (answer) {
          if (!answer.ok) throw new Error(answer.status);
          return answer.json();
        });
        card.moves.catch(function () { card.moves = null; });
      }
      return card.moves;
    }
    function item(move) {
      var line = document.createElement('li');
      if (move.asks) {
        var link = document.createElement('a');
        link.href = move.url;
        link.textContent = move.label + '…';
        line.append(link);
        return line;
      }
      var form = template.content.cloneNode(true).querySelector('form'), button = form.querySelector('button');
      form.action = move.url;
      button.textContent = button.dataset.verb = move.label;
      button.dataset.confirm = move.question;
      line.append(form);
      return line;
    }
    /* the card's menu, narrowed to the ways that lead to one state if `state` is given */
    function fill(card, moves, state) {
      var menu = card.querySelector('.dropdown-menu');
      menu.textContent = '';
      moves.filter(function (move) { return !state || move.to.indexOf(state) >= 0; }).forEach(function (move) { menu.append(item(move)); });
      if (!menu.children.length) say(menu, words.no_moves);
      return menu;
    }
    function say(menu, text) {
      var line = document.createElement('li'), note = document.createElement('span');
      note.className = 'note';
      note.textContent = text;
      line.append(note);
      menu.textContent = '';
      menu.append(line);
      said.textContent = text;
    }
    function open(card, is_open) {
      board.querySelectorAll('.dropdown.open').forEach(function (other) {
        other.classList.remove('open');
        other.querySelector('[data-move]').setAttribute('aria-expanded', 'false');
      });
      if (!is_open) return;
      card.querySelector('.dropdown').classList.add('open');
      card.querySelector('[data-move]').setAttribute('aria-expanded', 'true');
    }
    function show(card, state) {
      var menu = card.querySelector('.dropdown-menu');
      say(menu, words.loading);
      open(card, true);
      moves_of(card).then(function (moves) {
        fill(card, moves, state);
        var first = menu.querySelector('a, button');
        if (first) first.focus();
      }, function () { say(menu, words.not_reached); });
    }

    board.addEventListener('click', function (event) {
      var button = event.target.closest('[data-move]');
      if (!button) return;
      event.stopPropagation();
      var card = button.closest('.boardcard'), was_open = button.parentNode.classList.contains('open');
      if (was_open) open(card, false); else show(card);
    });
    document.addEventListener('click', function (event) { if (!event.target.closest('.boardcard .dropdown')) open(null, false); });
    board.addEventListener('keydown', function (event) {
      var menu = event.target.closest('.dropdown-menu'), box = event.target.closest('.boardcard .dropdown');
      if (event.key === 'Escape' && box) { open(null, false); box.querySelector('[data-move]').focus(); }
      if (!menu || (event.key !== 'ArrowDown' && event.key !== 'ArrowUp')) return;
      event.preventDefault();
      var items = Array.prototype.slice.call(menu.querySelectorAll('a, button'));
      var next = items[items.indexOf(document.activeElement) + (event.key === 'ArrowDown' ? 1 : -1)];
      if (next) next.focus();
    });

    board.addEventListener('dragstart', function (event) {
      var card = event.target.closest('.boardcard[data-moves]');
      if (!card) return;
      held = card;
      card.classList.add('is-held');
      event.dataTransfer.effectAllowed = 'move';
      event.dataTransfer.setData('text/plain', card.querySelector('.cardtitle').textContent);
      moves_of(card).then(function (moves) {
        if (held !== card) return;
        board.querySelectorAll('.boardcol').forEach(function (column) {
          column.classList.toggle('may', column !== card.closest('.boardcol') && moves.some(function (move) { return move.to.indexOf(column.dataset.state) >= 0; }));
        });
      }, function () {});
    });
    board.addEventListener('dragend', function () {
      board.querySelectorAll('.may, .over, .is-held').forEach(function (each) { each.classList.remove('may', 'over', 'is-held'); });
      held = null;
    });
    board.addEventListener('dragover', function (event) {
      var column = event.target.closest('.boardcol');
      board.querySelectorAll('.over').forEach(function (each) { if (each !== column) each.classList.remove('over'); });
      if (!held || !column || !column.classList.contains('may')) return;
      event.preventDefault();
      column.classList.add('over');
    });
    board.addEventListener('drop', function (event) {
      var column = event.target.closest('.boardcol'), card = held;
      if (!card || !column || !column.classList.contains('may')) return;
      event.preventDefault();
      moves_of(card).then(function (moves) {
        var ways = moves.filter(function (move) { return move.to.indexOf(column.dataset.state) >= 0; });
        if (ways.length !== 1) { show(card, column.dataset.state); return; }   /* several operations lead there: choose */
        var menu = fill(card, ways);
        menu.querySelector('a, button').click();
      });
    });
  });
})();
