//! HTML as text: a page's frame, tables, a line chart as SVG. Everything that people or files wrote is escaped.

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use std::fmt::Write as _;

/// Text that means itself inside HTML, in attributes too.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// A page that is being written.
pub(super) struct Page {
    head: String,
    body: String,
}

impl Page {
    /// A page of that title.
    pub(super) fn new(title: &str) -> Self {
        let title = escape(title);
        Self {
            head: format!(
                "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>{title} · lope</title>\n\
                 <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
                 <meta name=\"color-scheme\" content=\"light dark\">\n<link rel=\"stylesheet\" href=\"/plain/style.css\">\n"
            ),
            body: format!(
                "<a class=\"skip\" href=\"#main\">To the content</a>\n<header><nav aria-label=\"Pages\"><a href=\"/plain\">Sessions</a> \
                 <a href=\"/plain/live\">Live</a> <a href=\"/plain/flags\">Flags</a></nav></header>\n<main id=\"main\">\n<h1>{title}</h1>\n"
            ),
        }
    }

    /// Asks for the page again after some seconds.
    pub(super) fn refresh(&mut self, seconds: u32) {
        // Writing to a String cannot fail.
        let _ = writeln!(self.head, "<meta http-equiv=\"refresh\" content=\"{seconds}\">");
    }

    /// Adds HTML to the head.
    pub(super) fn in_head(&mut self, html: &str) {
        self.head.push_str(html);
        self.head.push('\n');
    }

    /// Adds HTML.
    pub(super) fn push(&mut self, html: &str) {
        self.body.push_str(html);
        self.body.push('\n');
    }

    /// Adds a table; cells are text, the first of a row is its heading.
    pub(super) fn table(&mut self, caption: &str, heads: &[&str], rows: &[Vec<Cell>]) {
        let _ = write!(
            self.body,
            "<table>\n<caption>{}</caption>\n<thead><tr>",
            escape(caption)
        );
        for head in heads {
            let _ = write!(self.body, "<th scope=\"col\">{}</th>", escape(head));
        }
        self.body.push_str("</tr></thead>\n<tbody>\n");
        for row in rows {
            self.body.push_str("<tr>");
            for (i, cell) in row.iter().enumerate() {
                let tag = if i == 0 { "th scope=\"row\"" } else { "td" };
                let end = if i == 0 { "th" } else { "td" };
                let _ = write!(self.body, "<{tag}>{}</{end}>", cell.html());
            }
            self.body.push_str("</tr>\n");
        }
        self.body.push_str("</tbody>\n</table>\n");
    }

    /// The whole text.
    pub(super) fn finish(self) -> String {
        format!(
            "{}</head>\n<body>\n{}</main>\n<footer><p>Plain pages: tables and drawings without a script. The dashboard shows more, \
             if it was built in (<code>./x dashboard</code> in the sources).</p></footer>\n</body>\n</html>\n",
            self.head, self.body
        )
    }

    /// The page as an answer.
    pub(super) fn answer(self) -> Response {
        let mut response = self.finish().into_response();
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/html; charset=utf-8"),
        );
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }
}

/// A cell of a table.
pub(super) enum Cell {
    /// Text.
    Text(String),
    /// Text that leads somewhere.
    Link(String, String),
}

impl Cell {
    fn html(&self) -> String {
        match self {
            Self::Text(text) => escape(text),
            Self::Link(to, text) => format!("<a href=\"{}\">{}</a>", escape(to), escape(text)),
        }
    }
}

/// A number with so many digits after the point; a dash where there is none.
pub(super) fn number(value: Option<f64>, digits: usize) -> String {
    value.map_or_else(|| "–".to_owned(), |v| format!("{v:.digits$}"))
}

/// A line chart: gaps stay gaps. `None` when there is nothing to draw.
pub(super) fn chart(title: &str, unit: &str, t_s: &[f64], values: &[Option<f64>]) -> Option<String> {
    let (w, h, left, bottom, top) = (720.0, 200.0, 56.0, 24.0, 12.0);
    let known: Vec<f64> = values.iter().flatten().copied().collect();
    let (low, high) = known
        .iter()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), v| (l.min(*v), h.max(*v)));
    let (first, last) = (*t_s.first()?, *t_s.last()?);
    if known.is_empty() || last <= first {
        return None;
    }
    // A flat line stands in the middle.
    let (low, high) = if high - low < 1e-9 {
        (low - 0.5, high + 0.5)
    } else {
        (low, high)
    };
    let x = |t: f64| left + (t - first) / (last - first) * (w - left - 8.0);
    let y = |v: f64| top + (high - v) / (high - low) * (h - top - bottom);
    let mut path = String::new();
    let mut pen_down = false;
    for (t, v) in t_s.iter().zip(values) {
        if let Some(v) = v {
            let _ = write!(path, "{}{:.1} {:.1}", if pen_down { "L" } else { "M" }, x(*t), y(*v));
            // A single value between gaps is still a dot.
            if !pen_down {
                path.push_str("h.1");
            }
        }
        pen_down = v.is_some();
    }
    let (title, unit) = (escape(title), escape(unit));
    let describe = format!(
        "{title} from {low:.1} to {high:.1} {unit}, over {:.0} minutes",
        (last - first) / 60.0
    );
    let mut svg = format!(
        "<figure><svg viewBox=\"0 0 {w} {h}\" role=\"img\" aria-label=\"{describe}\">\
         <path class=\"axis\" d=\"M{left} {top}V{:.1}H{w}\"/><path class=\"line\" d=\"{path}\"/>",
        h - bottom
    );
    for v in [low, high] {
        let _ = write!(
            svg,
            "<text x=\"{:.1}\" y=\"{:.1}\" class=\"end\">{v:.1}</text>",
            left - 6.0,
            y(v) + 4.0
        );
    }
    for t in [first, last] {
        let anchor = if t == first { "start" } else { "end" };
        let _ = write!(
            svg,
            "<text x=\"{:.1}\" y=\"{:.1}\" class=\"{anchor}\">{:.0} min</text>",
            x(t),
            h - 6.0,
            t / 60.0
        );
    }
    let _ = write!(svg, "</svg><figcaption>{title}, {unit}</figcaption></figure>");
    Some(svg)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_wrote_stays_text() {
        let mut page = Page::new("<script>alert(1)</script>");
        page.table(
            "a & b",
            &["\"x\""],
            &[vec![Cell::Link("/x\" onclick=\"y".to_owned(), "<b>".to_owned())]],
        );
        let html = page.finish();
        assert!(
            !html.contains("<script") && !html.contains("<b>") && !html.contains("onclick=\"y"),
            "{html}"
        );
        assert!(html.contains("&lt;script&gt;") && html.contains("a &amp; b"));
        assert!(!html.contains("style=") && !html.contains("<style"), "nothing inline");
    }

    #[test]
    fn a_chart_draws_no_line_over_a_gap() {
        let t = [0.0, 60.0, 120.0, 180.0, 240.0];
        let svg = chart(
            "Cadence",
            "steps/min",
            &t,
            &[Some(170.0), Some(172.0), None, Some(168.0), None],
        )
        .expect("drawn");
        let path = svg
            .split("class=\"line\" d=\"")
            .nth(1)
            .and_then(|p| p.split('"').next())
            .expect("a path");
        assert_eq!((path.matches('M').count(), path.matches('L').count()), (2, 1), "{path}");
        assert_eq!(chart("x", "y", &t, &[None; 5]), None);
    }
}
