// Shows terminal output in xterm.js, the terminal of web pages, and tells what it looks like: a line of JSON for every line of JSON.
const { Terminal } = require('@xterm/headless');

const attributes = ['Bold', 'Dim', 'Italic', 'Underline', 'Blink', 'Inverse', 'Invisible', 'Strikethrough', 'Overline'];

function color(cell, ground) {
  if (cell[`is${ground}Default`]()) return '-';
  return (cell[`is${ground}RGB`]() ? '#' : 'p') + cell[`get${ground}Color`]();
}

function row(line, columns) {
  const cells = [];
  for (let column = 0; column < columns; column++) {
    const cell = line.getCell(column);
    if (cell.getWidth() === 0) continue;
    const set = attributes.filter(attribute => cell[`is${attribute}`]());
    cells.push([cell.getChars() || ' ', color(cell, 'Fg'), color(cell, 'Bg'), ...set].join(' '));
  }
  return cells.join('|');
}

require('readline').createInterface({ input: process.stdin }).on('line', text => {
  const { rows, columns, output } = JSON.parse(text);
  const terminal = new Terminal({ rows, cols: columns, scrollback: 0, allowProposedApi: true });
  terminal.write(Buffer.from(output, 'base64'), () => {
    const buffer = terminal.buffer.active;
    const modes = terminal.modes;
    const shown = Array.from({ length: rows }, (_, index) => row(buffer.getLine(buffer.baseY + index), columns));
    shown.push([buffer.cursorY, buffer.cursorX, buffer.type, modes.applicationCursorKeysMode, modes.applicationKeypadMode, modes.bracketedPasteMode,
      modes.insertMode, modes.mouseTrackingMode, modes.originMode, modes.sendFocusMode, modes.wraparoundMode].join(' '));
    console.log(JSON.stringify(shown));
    terminal.dispose();
  });
});
