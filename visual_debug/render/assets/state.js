// What the page is of, and what each step shows. Nothing here touches the document but to read the data.

const data = JSON.parse(document.getElementById("data").textContent);
const nodes = data.nodes;
const count = nodes.id.length;
const WIDEST = 28; // characters of a line in a box; the data's coordinates leave room for so many

// For each node the step that gives it its value, and its adjoint's terms as [step, term, sum so far].
const born = new Array(count).fill(0);
const terms = Array.from({ length: count }, () => []);
data.steps.forEach(([phase, node, target, , term, sum], step) => {
  if (phase === "forward") born[node] = step;
  else if (phase === "rest") for (const [operand, text, total] of node) terms[operand].push([step, text, total]);
  else if (phase === "seed" || phase === "reverse") terms[target].push([step, term, sum]);
});

// Who uses each node, and how often.
const consumers = Array.from({ length: count }, () => []);
nodes.operands.forEach((operands, node) => {
  for (const operand of operands) if (operand >= 0) consumers[operand].push(node);
});

const spanNodes = data.spans.map(() => []);
nodes.span.forEach((span, node) => { if (span !== null) spanNodes[span].push(node); });

// The diagnosis that the page is coloured by, if it is.
const diagnosis = () => (state.colour.startsWith("mark") ? data.marks[Number(state.colour.slice(4))] : null);

const state = {
  step: data.step,
  sheet: data.first,
  selected: null, // a node's number, or of the summary a row's
  collapsed: {}, // by sheet: the set of boxes whose operands are hidden
  colour: data.coloured ? "mark0" : "kind",
};
for (const name of Object.keys(data.sheets)) state.collapsed[name] = new Set();

// Of the folded pictures the boxes are rows: the expressions, and behind them the loops and functions.
const expressions = data.sheets.summary ? data.sheets.summary.rows : [];
const folds = data.sheets.summary ? data.sheets.summary.folds : [];
const rows = [...expressions, ...folds];
const foldOf = (row) => row - expressions.length; // below 0 for an expression
const isSummary = () => state.sheet === "summary" || state.sheet.startsWith("fold");

// The innermost fold in which each row is drawn as its own, not as a value from outside.
const home = new Array(rows.length).fill(null);
folds.forEach(({ own }, fold) => { for (const row of own) home[row] = fold; });
const valueAt = (node, step) => (born[node] <= step ? nodes.text[node] : "");

// The adjoint with the history of its terms, as far as a step has come; the sum alone where there is no room.
function adjointAt(node, step, wide) {
  const known = arrived(node, step);
  if (!known) return "";
  const sum = terms[node][known - 1][2];
  if (known === 1) return sum;
  const folded = `${known} terms = ${sum}`;
  if (known > 12) return folded;
  const history = terms[node].slice(0, known).map(([, term]) => term).join(" + ") + (known === terms[node].length ? ` = ${sum}` : "");
  return history.length + 2 <= (wide ? 3 * WIDEST : WIDEST) ? history : fitted(folded, WIDEST - 2);
}

// How many terms of a node's adjoint have come by a step.
function arrived(node, step) {
  let [low, high] = [0, terms[node].length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (terms[node][middle][0] <= step) low = middle + 1;
    else high = middle;
  }
  return low;
}

// Numbers in a box: of an array or a range that is too long as many digits as there is room for, and no mean; of
// adjoints that are not finite how many there are.
function fitted(text, length) {
  if (Array.from(text).length <= length || !/\w\[[\d×]*\] |…/.test(text)) return cut(text, length);
  let short = text.replace(/ mean \S+/, "").replace(/^(∂ )?.*, ([\d,]+ not finite)$/, "$1$2");
  for (let digits = 5; digits > 0 && Array.from(short).length > length; digits -= 1) {
    const rounded = (number) => (Math.abs(number) >= 10 ** digits && Math.abs(number) < 1e15 ? Math.round(number) : Number(Number(number).toPrecision(digits)));
    short = short.replace(/\d+\.\d+(e[+-]\d+)?/g, rounded);
  }
  return cut(short, length);
}

function cut(text, length) {
  const letters = Array.from(text);
  return letters.length <= length ? text : letters.slice(0, length - 1).join("") + "…";
}

function titleOf(step) {
  const [phase, node, target, , term] = data.steps[step];
  const line = (n) => (nodes.line[n] === null ? "" : ` (line ${nodes.line[n]})`);
  if (phase === "leaves") return "the inputs and literals";
  if (phase === "rest") return "what operations that are not shown add to the adjoints";
  if (phase === "stopped") return `the reverse pass stops: ${data.stopped}`;
  if (phase === "forward") return `forward: ${nodes.label[node]} = ${nodes.text[node]}${line(node)}`;
  if (phase === "seed") return `seed: the adjoint of ${nodes.label[target]} is ${term}${line(target)}`;
  const rule = nodes.pullback[node] ? ` pulls back ${nodes.pullback[node]},` : " gives";
  return `reverse: ${nodes.label[node]}${rule} ${term} to ${nodes.label[target]}${line(node)}`;
}

// The nodes that a step writes to, and the operation whose pullback speaks.
function touched(step) {
  const [phase, node, target] = data.steps[step];
  if (phase === "leaves") return { lit: nodes.leaf.flatMap((leaf, i) => (leaf ? [i] : [])), active: null };
  if (phase === "forward") return { lit: [node], active: null };
  if (phase === "rest") return { lit: node.map(([operand]) => operand), active: null };
  if (phase === "stopped") return { lit: [], active: null };
  return { lit: [target], active: phase === "reverse" ? node : null };
}

// The numbers that nodes, or rows of the summary, are coloured by.
function colouring() {
  const list = (name) => (isSummary() ? rows.map((row) => row[name]) : nodes[name]);
  return { value: list("value"), adjoint: list("adjoint"), magnitude: list("value") }[state.colour];
}

// How strongly a node or row is coloured, from -1 to 1, or null for not at all.
function strength(node) {
  const value = scale.of;
  if (diagnosis()) return (isSummary() ? diagnosis().rows : diagnosis()).weight[node];
  if (!value || value[node] === null) return null;
  if (!isSummary()) {
    if (state.colour === "adjoint" && !arrived(node, state.step)) return null;
    if (state.colour !== "adjoint" && born[node] > state.step) return null;
  }
  if (state.colour !== "magnitude") return scale.most ? value[node] / scale.most : 0;
  if (value[node] === 0) return 0;
  return (Math.log10(Math.abs(value[node])) - scale.low) / (scale.high - scale.low || 1);
}

let scale = {};
function rescale() {
  const of = colouring();
  const finite = (of || []).filter((v) => v !== null);
  const logs = finite.filter((v) => v !== 0).map((v) => Math.log10(Math.abs(v)));
  scale = {
    of,
    most: finite.reduce((m, v) => Math.max(m, Math.abs(v)), 0),
    low: logs.reduce((a, b) => Math.min(a, b), Infinity),
    high: logs.reduce((a, b) => Math.max(a, b), -Infinity),
  };
}

function legend() {
  const short = (v) => Number(v.toPrecision(3)).toString();
  if (state.colour === "kind") return "";
  if (diagnosis()) return (isSummary() ? diagnosis().rows : diagnosis()).weight.some((w) => w !== null) ? "the stronger the colour, the more" : "nothing to point at";
  if (state.colour === "magnitude") {
    return isFinite(scale.low) ? `1e${short(scale.low)} (light) to 1e${short(scale.high)} (dark)` : "no numbers";
  }
  return `blue ${short(-scale.most)}, orange ${short(scale.most)}`;
}

function element(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) {
    if (key === "onclick") made.addEventListener("click", value);
    else made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}
