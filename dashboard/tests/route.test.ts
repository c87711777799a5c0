// Which screen an address means.
import { expect, test } from "vitest";
import { matchRoute, withParams } from "../src/pure/route";

const ROUTES = [["/", "runs"], ["/live/:session", "live"], ["/run/:session/card", "card"], ["/run/:session", "explorer"]] as const;

test("addresses and their parameters", () => {
  expect(matchRoute(ROUTES, "/")).toEqual({ name: "runs", params: {} });
  expect(matchRoute(ROUTES, "/run/01JD/card")).toEqual({ name: "card", params: { session: "01JD" } });
  expect(matchRoute(ROUTES, "/run/01JD/")).toEqual({ name: "explorer", params: { session: "01JD" } });
  expect(matchRoute(ROUTES, "/live/a%20b")).toEqual({ name: "live", params: { session: "a b" } });
});
test("what fits nothing is nothing", () => {
  for (const path of ["/run", "/run//card", "/run/a/b/c", "/live/%E0%A4%A", "/runs"]) expect(matchRoute(ROUTES, path), path).toBeUndefined();
});
test("parameters are changed one by one, the rest stays", () => {
  expect(withParams("?athlete=ada&from=3", { from: 10, to: null })).toBe("?athlete=ada&from=10");
  expect(withParams("?from=3", { from: null })).toBe("");
  expect(withParams("", { a: "shoe:x y" })).toBe("?a=shoe%3Ax+y");
});
