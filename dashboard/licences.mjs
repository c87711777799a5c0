// Writes dist/THIRD_PARTY.txt: names, versions and licence texts of the packages whose code is in the bundle (the runtime
// dependencies and theirs). A licence outside the list ends the build: what ships must be free to ship.
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ALLOWED = new Set(["MIT", "ISC", "BSD-2-Clause", "BSD-3-Clause", "Apache-2.0"]);
const root = fileURLToPath(new URL(".", import.meta.url));
const json = (path) => JSON.parse(readFileSync(path, "utf8"));

const wanted = new Set();
const visit = (name) => {
  if (wanted.has(name)) return;
  wanted.add(name);
  Object.keys(json(join(root, "node_modules", name, "package.json")).dependencies ?? {}).forEach(visit);
};
Object.keys(json(join(root, "package.json")).dependencies).forEach(visit);

let text = "Third-party code in the lope dashboard\n";
for (const name of [...wanted].sort()) {
  const folder = join(root, "node_modules", name);
  const { version, license } = json(join(folder, "package.json"));
  if (!ALLOWED.has(license)) {
    console.error(`${name} ${version}: licence ${license ?? "not stated"} is not in the list (${[...ALLOWED].join(", ")})`);
    process.exit(1);
  }
  const file = readdirSync(folder).find((f) => /^licen[cs]e/i.test(f));
  if (!file) {
    console.error(`${name} ${version}: no licence text in the package`);
    process.exit(1);
  }
  text += `\n${"=".repeat(78)}\n${name} ${version} (${license})\n\n${readFileSync(join(folder, file), "utf8").trim()}\n`;
}
writeFileSync(join(root, "dist/THIRD_PARTY.txt"), text);
console.log(`licences of ${wanted.size} bundled packages ok`);
