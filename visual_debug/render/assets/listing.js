// The source: every expression of which a node is there can be clicked, and shows what it has come to by now.

const code = document.getElementById("code");
const listing = { pieces: [], ends: [], notes: [] };

function buildListing() {
  code.replaceChildren();
  if (!data.code.length) {
    code.append(element("p", { class: "quiet" }, "The source cannot be had; the table says the operations."));
    return;
  }
  let before = null;
  for (const { file, first, lines } of data.code) {
    const table = element("div", { class: "listing" });
    code.append(file === before ? element("div", { class: "gap" }, "⋯")
      : element("h2", { title: file }, file.split(/[\\/]/).pop()), table);
    before = file;
    const spans = data.spans.map((span, i) => [i, span]).filter(([, span]) => span[0] === file);
    lines.forEach((text, n) => table.append(buildLine(text, first + n, spans)));
  }
}

function buildLine(text, number, spans) {
  const here = spans
    .filter(([, [, line, , end]]) => line <= number && number <= end)
    .map(([i, [, line, column, end, behind]]) => ({
      i, start: line === number ? column : text.length - text.trimStart().length, end: end === number ? behind : text.length,
      size: (end - line) * 1000 + behind - column,
    }));
  const cuts = [...new Set([0, text.length, ...here.flatMap(({ start, end }) => [start, end])])].sort((a, b) => a - b);
  const source = element("span", { class: "source" });
  for (let k = 0; k + 1 < cuts.length; k += 1) {
    const piece = text.slice(cuts[k], cuts[k + 1]);
    const around = here.filter(({ start, end }) => start <= cuts[k] && cuts[k + 1] <= end).sort((a, b) => a.size - b.size);
    const made = element("span", {}, piece);
    if (around.length) {
      made.className = "part";
      made.addEventListener("click", () => selectSpan(around[0].i));
      listing.pieces.push([made, new Set(around.map(({ i }) => i))]);
    }
    source.append(made);
    for (const { i, end } of around) {
      if (end === cuts[k + 1] && data.spans[i][3] === number) {
        const chip = element("span", { class: "chip", hidden: "" });
        listing.ends[i] = chip;
        source.append(chip);
      }
    }
  }
  const note = element("span", { class: "notes" });
  const outer = here.filter(({ i }) => data.spans[i][3] === number).sort((a, b) => b.size - a.size);
  listing.notes.push([note, outer.map(({ i }) => i)]);
  const line = element("div", { class: "line" }, element("span", { class: "number" }, String(number)), source, note);
  line.style.setProperty("--indent", `${Math.min(text.length - text.trimStart().length, 24) + 4}ch`); // of what is wrapped
  return line;
}

// The node of a span that was computed last, up to now; null if there is none yet.
function latest(span, step) {
  let found = null;
  for (const node of spanNodes[span]) if (born[node] <= step) found = node;
  return found;
}

function showListing() {
  const { lit, active } = touched(state.step);
  const now = new Set();
  const spoken = isSummary() || data.steps[state.step][0] === "leaves" ? [] : [...lit, active];
  for (const node of spoken) if (node !== null && nodes.span[node] !== null) now.add(nodes.span[node]);
  const chosen = selectedSpan();
  for (const [piece, around] of listing.pieces) {
    piece.classList.toggle("now", [...now].some((span) => around.has(span)));
    piece.classList.toggle("selected", chosen !== null && around.has(chosen));
  }
  listing.ends.forEach((chip, span) => {
    const node = state.selected !== null && !isSummary() && chosen === span ? state.selected
      : spoken.find((n) => n !== null && nodes.span[n] === span);
    const show = node !== undefined && node !== null && born[node] <= state.step && !isSummary();
    chip.hidden = !show;
    chip.replaceChildren(...(show ? both(node) : []));
  });
  for (const [note, spans] of listing.notes) {
    if (isSummary()) {
      const row = expressions.find((r) => r.span === spans[0] && spans.length);
      note.textContent = row ? (row.count > 1 ? `×${row.count.toLocaleString("en")}: ${row.first} … ${row.last}` : row.first) : "";
      continue;
    }
    const node = spans.length ? latest(spans[0], state.step) : null; // of the longest expression that ends here
    const told = node === null || !listing.ends[spans[0]].hidden; // in its place, perhaps of another pass
    note.replaceChildren(...(told ? [] : both(node)));
  }
  const mark = code.querySelector(".selected, .now");
  if (mark) nearest(code, mark);
}

function both(node) {
  const value = element("span", { class: "value" }, valueAt(node, state.step));
  const adjoint = adjointAt(node, state.step, false);
  return adjoint ? [value, " ", element("span", { class: "adjoint" }, `∂ ${adjoint}`)] : [value];
}

// Arrows up and down go from expression to expression, in the order of the source.
function codeKey(event) {
  const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const order = data.spans.map((_, i) => i).filter((i) => isSummary() ? expressions.some((r) => r.span === i) : spanNodes[i].length)
    .sort((a, b) => data.spans[a][1] - data.spans[b][1] || data.spans[a][2] - data.spans[b][2] || data.spans[a][4] - data.spans[b][4]);
  if (!by || !order.length) return;
  event.preventDefault();
  event.stopPropagation();
  const at = order.indexOf(selectedSpan());
  selectSpan(order[at < 0 ? 0 : Math.min(Math.max(at + by, 0), order.length - 1)]);
}

// Scroll within a pane, and the page not at all.
function nearest(pane, inner) {
  const [a, b] = [pane.getBoundingClientRect(), inner.getBoundingClientRect()];
  if (b.top < a.top || b.bottom > a.bottom) pane.scrollTop += b.top - a.top - a.height / 3;
}

function selectedSpan() {
  if (state.selected === null) return null;
  return isSummary() ? rows[state.selected].span ?? null : nodes.span[state.selected];
}

function selectSpan(span) {
  if (isSummary()) {
    const row = expressions.findIndex((r) => r.span === span);
    if (row >= 0) select(row);
    return;
  }
  const node = latest(span, state.step) ?? spanNodes[span][0];
  if (node !== undefined) select(node);
}
