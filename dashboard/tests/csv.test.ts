// CSV that spreadsheets read and do not run.
import { expect, test } from "vitest";
import { csvCell, toCsv } from "../src/pure/csv";

test("quotes, commas, line ends", () => {
  expect(toCsv(["a", "b"], [["x,y", 'say "hi"'], ["two\nlines", null]])).toBe('a,b\r\n"x,y","say ""hi"""\r\n"two\nlines",\r\n');
});
test("numbers keep their digits; absent and NaN are empty", () => {
  expect([csvCell(-0.1234567), csvCell(Number.NaN), csvCell(undefined), csvCell(0)]).toEqual(["-0.1234567", "", "", "0"]);
});
test("words that begin like a formula are disarmed, negative numbers are not", () => {
  expect(csvCell("=1+1")).toBe("'=1+1");
  expect(csvCell("@x")).toBe("'@x");
  expect(csvCell("-3 °")).toBe("'-3 °");
  expect(csvCell(-3)).toBe("-3");
});
