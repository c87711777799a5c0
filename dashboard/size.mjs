// Fails when all JavaScript of the bundle, each file gzipped, is over the budget: phones on slow links wait for it.
import { readFileSync, readdirSync } from "node:fs";
import { gzipSync } from "node:zlib";

const BUDGET = 120 * 1024;
const folder = new URL("./dist/assets/", import.meta.url);
let js = 0;
let css = 0;
for (const name of readdirSync(folder).sort()) {
  const size = gzipSync(readFileSync(new URL(name, folder)), { level: 9 }).length;
  if (name.endsWith(".js")) js += size;
  if (name.endsWith(".css")) css += size;
  console.log(`${(size / 1024).toFixed(1).padStart(7)} kB  ${name}`);
}
console.log(`${(js / 1024).toFixed(1).padStart(7)} kB  JavaScript gzipped (budget ${BUDGET / 1024} kB), CSS ${(css / 1024).toFixed(1)} kB`);
if (js > BUDGET) process.exit(1);
