//! Pages by `limit` and `marker`, with the link to the next one as Nova and Neutron write it.

use serde_json::Value;

use crate::fake::http::Request;

/// One page.
pub enum Page {
    /// The marker names nothing.
    NoMarker(String),
    /// What the page holds, and where the next one is.
    Cut { items: Vec<Value>, next: Option<String> },
}

/// The page that `request` asks for, of at most `limit` items. `base` is the scheme and the host of the next link.
pub fn cut(request: &Request, base: &str, mut items: Vec<Value>, limit: usize) -> Page {
    if let Some(marker) = request.query_value("marker") {
        let Some(position) = items.iter().position(|item| item["id"] == marker.as_str()) else {
            return Page::NoMarker(marker);
        };
        items.drain(..=position);
    }
    items.truncate(limit);
    // As the real ones: a full page names a next one, also when nothing is left for it.
    let is_full = items.len() == limit;
    let last = items.last().and_then(|item| item["id"].as_str()).map(str::to_owned);
    let next = last.filter(|_| is_full).map(|marker| {
        let query = request.target.split_once('?').map_or("", |(_, query)| query);
        let kept = query.split('&').filter(|pair| !pair.is_empty() && !pair.starts_with("marker="));
        let marker = format!("marker={marker}");
        let query = kept.chain([marker.as_str()]).collect::<Vec<_>>().join("&");
        format!("{base}{}?{query}", request.path())
    });
    Page::Cut { items, next }
}
