// Rules of the sources that nothing else would notice being broken.
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { join } from "node:path";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("../", import.meta.url));
const read = (path: string): string => readFileSync(join(root, path), "utf8");
const under = (folder: string): string[] => readdirSync(join(root, folder), { withFileTypes: true }).flatMap((e) => (e.isDirectory() ? under(`${folder}/${e.name}`) : [`${folder}/${e.name}`]));
const sources = under("src").filter((p) => /\.tsx?$/.test(p));

test("HTML is never made from text, code never from words", () => {
  expect(sources.length).toBeGreaterThan(25);
  for (const path of sources) expect(read(path), path).not.toMatch(/dangerouslySetInnerHTML|innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|setAttribute\("style"/);
});
test("nothing is fetched from elsewhere", () => {
  for (const path of [...sources, ...under("src").filter((p) => p.endsWith(".css")), "index.html"]) expect(read(path).replace(/xmlns="[^"]*"/g, ""), path).not.toMatch(/https?:\/\/(?!127\.0\.0\.1)/);
});
test("the page has no inline script or style", () => {
  const html = read("index.html");
  expect(html).not.toMatch(/<script(?![^>]*\bsrc=)/);
  expect(html).not.toMatch(/<style|\bstyle=|\bon\w+=/);
});
test("files have a head and keep to 800 lines", () => {
  for (const path of [...sources, ...under("mock"), ...under("tests")]) {
    const text = read(path);
    if (!path.endsWith(".d.ts")) expect(text, path).toMatch(/^(\/\*\*|\/\/)/);
    expect(text.split("\n").length, path).toBeLessThan(800);
  }
});
test("versions are exact and the lock file names no place of download", () => {
  const { dependencies, devDependencies } = JSON.parse(read("package.json")) as Record<string, Record<string, string>>;
  for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies })) expect(version, name).toMatch(/^\d+\.\d+\.\d+$/);
  expect(Object.keys(dependencies ?? {})).toEqual(["preact", "uplot"]);
  expect(read("package-lock.json")).not.toContain('"resolved"');
});
