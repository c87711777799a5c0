// Every screen with every field absent that may be absent, and every list of findings empty: what a first run, an old record or a
// lone sensor gives. Nothing may break, and no "null", "NaN" or "undefined" may be read.
import { readFileSync } from "node:fs";
import { interfacesOf } from "../../dashboard/types.mjs";

/** Names of fields that may be absent wherever they occur. */
function absentNames() {
  const may = new Map();
  for (const { fields } of interfacesOf(readFileSync(new URL("../../dashboard/src/api.ts", import.meta.url), "utf8")).values()) {
    for (const [name, { optional }] of fields) may.set(name, (may.get(name) ?? true) && optional);
  }
  // Without the first nothing can be written; the second names the kind of an error.
  return new Set([...may].filter(([name, yes]) => yes && !["csrf", "code"].includes(name)).map(([name]) => name));
}

const EMPTY = new Set(["flags", "events", "points", "rolling42", "actions", "votes", "cites", "remedies", "other_reasons", "clears", "groups", "sensors", "outcomes", "summary_rows", "cadence_spark", "drop_asym_spark", "ruled_out", "steps"]);

function thin(value, names) {
  if (Array.isArray(value)) return value.map((v) => thin(v, names));
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, names.has(k) ? null : Array.isArray(v) && EMPTY.has(k) ? [] : thin(v, names)]));
}

export async function sparse({ context, form, check, shots, screens }) {
  const names = absentNames();
  if (names.size < 40) throw new Error("the types were not understood");
  const c = await context(form);
  const page = await c.newPage();
  await page.route(/\/api\/v1\/(?!live\/|health|catalog)/, async (route) => {
    const answer = await route.fetch();
    if (!answer.ok()) return route.fulfill({ response: answer });
    return route.fulfill({ response: answer, json: thin(await answer.json(), names) });
  });
  for (const [name, path] of screens) {
    const where = `${name} sparse`;
    await check.visit(page, path, where);
    const text = await page.evaluate(() => document.body.innerText);
    const odd = /\b(NaN|undefined|null|Invalid Date|\[object)/.exec(text);
    if (odd) check.fail(where, `reads "${odd[0]}": …${text.slice(Math.max(0, odd.index - 40), odd.index + 40).replace(/\s+/g, " ")}…`);
    if (["card", "explorer", "trends", "flags", "coach", "compare"].includes(name)) await page.screenshot({ path: `${shots}/sparse-${name}.png`, fullPage: true });
    await check.judge(page, where, { phone: false, words: false });
  }
  await c.close();
}
