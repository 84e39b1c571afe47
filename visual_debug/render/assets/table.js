// The table of values, and all that is known of the node that is selected.

const values = document.getElementById("values");
const details = document.getElementById("details");
const rows = [];

function buildTable() {
  const heads = isSummary()
    ? ["expression", "line", "function", "times", "first", "last", "least", "greatest", "not finite"]
    : ["#", "operation", "value", "adjoint", "expression", "line"];
  const body = element("tbody");
  rows.length = 0;
  const add = (i, cells) => {
    const row = element("tr", { tabindex: "-1" }, ...cells.map((text) => element("td", {}, text === null ? "" : String(text))));
    row.addEventListener("click", () => select(i));
    rows.push(row);
    body.append(row);
  };
  if (isSummary()) {
    data.sheets.summary.rows.forEach((r, i) => add(i, [r.lines[0], r.line, r.function, r.count.toLocaleString("en"),
      r.first, r.count > 1 ? r.last : "", r.count > 1 ? r.least : "", r.count > 1 ? r.most : "", r.bad || ""]));
  } else {
    for (let i = 0; i < count; i += 1) add(i, [nodes.id[i], nodes.label[i], "", "", nodes.source[i], nodes.line[i]]);
  }
  const head = element("tr", {}, ...heads.map((text) => element("th", { scope: "col" }, text)));
  values.replaceChildren(element("table", {},
    element("caption", {}, isSummary() ? "Expressions of the source" : "Values and adjoints by now"),
    element("thead", {}, head), body));
}

function showTable() {
  rows.forEach((row, i) => {
    if (!isSummary()) {
      const texts = [valueAt(i, state.step), adjointAt(i, state.step, true)];
      texts.forEach((text, k) => { if (row.cells[2 + k].textContent !== text) row.cells[2 + k].textContent = text; });
      row.className = born[i] > state.step ? "later" : "";
      row.cells[2].className = "value";
      row.cells[3].className = "adjoint";
    }
    row.classList.toggle("selected", state.selected === i);
    if (state.selected === i) row.setAttribute("aria-current", "true");
    else row.removeAttribute("aria-current");
  });
}

function link(node) {
  return element("button", { type: "button", class: "link", onclick: () => select(node) },
    `${nodes.label[node]} #${nodes.id[node]}`);
}

// A button that goes there for each; only the first few of many.
function links(list) {
  const few = [...new Set(list)].slice(0, 8).flatMap((node) => [link(node), " "]);
  return list.length > 8 ? [...few, `and ${list.length - 8} more`] : few;
}

function showDetails() {
  const chosen = state.selected;
  if (chosen === null) {
    details.replaceChildren(element("p", { class: "quiet" }, "Click a box, an expression or a row to see all of it."));
    return;
  }
  const list = element("dl");
  const say = (term, ...what) => list.append(element("dt", {}, term), element("dd", {}, ...what));
  if (isSummary()) detailsOfRow(data.sheets.summary.rows[chosen], say);
  else detailsOfNode(chosen, say);
  details.replaceChildren(list);
}

function detailsOfRow(row, say) {
  say("expression", row.lines[0]);
  say("where", `${row.function}${row.line === null ? "" : `, line ${row.line}`}`);
  say("computed", `${row.count.toLocaleString("en")} times`);
  if (row.count === 1) say("value", row.first);
  else say("values", `first ${row.first}, last ${row.last}${row.least === null ? "" : `, from ${row.least} to ${row.most}`}`);
  if (row.bad) say("not finite", row.bad.toLocaleString("en"));
  if (!row.members.length) {
    say("open", "none of them is drawn one by one here: name some with export(…, nodes=…)");
    return;
  }
  const open = (node) => { setSheet("graph"); select(node); };
  const buttons = row.members.slice(-8).flatMap((node) => [
    element("button", { type: "button", class: "link", onclick: () => open(node) }, `#${nodes.id[node]} = ${nodes.text[node]}`), " "]);
  say("open", ...buttons);
}

function detailsOfNode(node, say) {
  say("node", `${nodes.label[node]} #${nodes.id[node]}`);
  if (nodes.source[node] && !nodes.leaf[node]) say("source", nodes.source[node]);
  const called = data.calls[nodes.call[node]];
  say("where", [called && called[0], nodes.line[node] === null ? null : `line ${nodes.line[node]}`, `call ${nodes.call[node]}`]
    .filter((text) => text).join(", "));
  say("value", valueAt(node, state.step) || "not yet");
  const adjoint = adjointAt(node, state.step, true);
  if (adjoint) say("adjoint", adjoint);
  if (nodes.pullback[node]) say("pullback", nodes.pullback[node]);
  if (allRounding && rounding[node]) say("rounding", `${(100 * rounding[node] / allRounding).toPrecision(3)} % of the error bound`);
  const operands = nodes.operands[node].filter((operand) => operand >= 0);
  if (operands.length) say("computed from", ...links(operands));
  if (operands.length < nodes.operands[node].length) {
    say("not shown", `${nodes.operands[node].length - operands.length} operand(s) that are not on this page`);
  }
  if (consumers[node].length) say("used by", ...links(consumers[node]));
  const same = nodes.span[node] === null ? [] : spanNodes[nodes.span[node]].filter((n) => nodes.op[n] === nodes.op[node]);
  if (same.length > 1) {
    const at = same.indexOf(node);
    const go = (to, text) => element("button", { type: "button", onclick: () => select(same[to]), ...(to < 0 || to >= same.length ? { disabled: "" } : {}) }, text);
    say("pass", go(0, "first"), go(at - 1, "‹"), ` ${at + 1} of ${same.length} `, go(at + 1, "›"), go(same.length - 1, "last"));
  }
}
