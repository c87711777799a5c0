/** Server-sent events as text: a parser fed with pieces of any size, after the HTML standard's rules for event streams. */

export interface SseEvent { event: string; data: string; id: string }

/** Parses a stream. `id` stays as last seen, as the standard wants; comments count as signs of life only. */
export class SseParser {
  private rest = "";
  private event = "";
  private data: string[] = [];
  private started = false;
  /** The last id seen; to be sent as `Last-Event-ID` when connecting again. */
  lastId = "";
  /** Milliseconds to wait before connecting again, where the server said so. */
  retryMs: number | undefined;

  /** Takes the next piece of text; gives the events that are complete now. */
  push(piece: string): SseEvent[] {
    let text = this.rest + piece;
    if (!this.started && text.length > 0) {
      this.started = true;
      if (text.charCodeAt(0) === 0xfeff) text = text.slice(1);
    }
    const out: SseEvent[] = [];
    for (;;) {
      const end = text.search(/[\r\n]/);
      // A carriage return at the very end may be half of a pair.
      if (end < 0 || (text[end] === "\r" && end === text.length - 1)) break;
      const line = text.slice(0, end);
      text = text.slice(end + (text.startsWith("\r\n", end) ? 2 : 1));
      this.line(line, out);
    }
    this.rest = text;
    return out;
  }

  private line(line: string, out: SseEvent[]): void {
    if (line === "") {
      if (this.data.length > 0) out.push({ event: this.event || "message", data: this.data.join("\n"), id: this.lastId });
      this.event = "";
      this.data = [];
      return;
    }
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "event") this.event = value;
    else if (field === "data") this.data.push(value);
    else if (field === "id" && !value.includes("\0")) this.lastId = value;
    else if (field === "retry" && /^\d+$/.test(value)) this.retryMs = Number(value);
  }
}

/** How long to wait before attempt `n` (0 is the first), ms: 0.5 s doubling to 15 s. */
export const backoffMs = (n: number): number => Math.min(15_000, 500 * 2 ** Math.min(n, 10));
