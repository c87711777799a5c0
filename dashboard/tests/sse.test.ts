// The parser of event streams, against the rules of the standard, with pieces cut anywhere.
import { describe, expect, test } from "vitest";
import { backoffMs, SseParser, type SseEvent } from "../src/pure/sse";

const STREAM = "retry: 2000\nid: b-1\nevent: hello\ndata: {\"session\":\"s\"}\n\n: still here\n\nid: b-2\nevent: window\ndata: {\"t_s\":1,\ndata: \"n\":14}\n\ndata: bare\n\nid: b-3\n\nevent: lag\ndata\n\nevent: cut off\ndata: never ended\n";
const whole = (): SseEvent[] => new SseParser().push(STREAM);

describe("event streams", () => {
  test("events, ids, comments, lines of data joined", () => {
    expect(whole()).toEqual([
      { event: "hello", data: '{"session":"s"}', id: "b-1" },
      { event: "window", data: '{"t_s":1,\n"n":14}', id: "b-2" },
      { event: "message", data: "bare", id: "b-2" },
      { event: "lag", data: "", id: "b-3" },
    ]);
  });
  test("the same, however the text is cut", () => {
    for (let size = 1; size < 40; size++) {
      const p = new SseParser();
      const out: SseEvent[] = [];
      for (let i = 0; i < STREAM.length; i += size) out.push(...p.push(STREAM.slice(i, i + size)));
      expect(out, `pieces of ${size}`).toEqual(whole());
      expect(p.lastId).toBe("b-3");
      expect(p.retryMs).toBe(2000);
    }
  });
  test("the same with the other two kinds of line ends", () => {
    for (const end of ["\r\n", "\r"]) {
      const p = new SseParser();
      const out: SseEvent[] = [];
      for (const c of STREAM.replace(/\n/g, end)) out.push(...p.push(c));
      // A lone carriage return at the end waits for a possible line feed.
      expect(out).toEqual(whole());
    }
  });
  test("a byte order mark is skipped, once", () => {
    expect(new SseParser().push("\ufeffdata: a\n\n")).toEqual([{ event: "message", data: "a", id: "" }]);
  });
  test("only one blank after the colon goes", () => {
    expect(new SseParser().push("data:  two\n\n")[0]?.data).toBe(" two");
  });
  test("an id with a null byte is not taken", () => {
    const p = new SseParser();
    p.push("id: ok\n\nid: b\0ad\n\n");
    expect(p.lastId).toBe("ok");
  });
});

test("waiting grows and is bounded", () => {
  expect([0, 1, 2, 3].map(backoffMs)).toEqual([500, 1000, 2000, 4000]);
  expect(backoffMs(50)).toBe(15_000);
});
