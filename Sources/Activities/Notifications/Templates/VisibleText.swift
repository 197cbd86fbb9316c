import Foundation

/// What a reader sees of an HTML mail: its words, and the links that have words of their own.
///
/// Comments, head, style and script are left out, and so are elements that hide themselves.
struct VisibleText: Hashable, Sendable {
    private(set) var words = ""
    private(set) var links: [String] = []

    /// A tag that was opened.
    private struct Open {
        var name: String
        var hides: Bool
        var link: String?
        var wordsBefore: Int
    }

    private static let unseen: Set<String> = ["head", "style", "script", "template", "title", "noscript"]
    private static let empty: Set<String> = ["br", "img", "hr", "input", "meta", "link", "wbr", "col", "area", "base"]

    init(html: String) {
        var open: [Open] = []
        var rest = html[...]
        while let start = rest.firstIndex(of: "<") {
            self.add(rest[..<start], open)
            rest = rest[start...]
            if rest.hasPrefix("<!--") {
                rest = Self.after("-->", rest)
                continue
            }
            guard let end = Self.endOfTag(rest) else { return }
            let tag = rest[rest.index(after: rest.startIndex)..<end]
            rest = rest[rest.index(after: end)...]
            self.tag(tag, &open)
        }
        self.add(rest, open)
    }

    private mutating func add(_ text: Substring, _ open: [Open]) {
        if !open.contains(where: \.hides) { self.words += Self.plain(text) }
    }

    private mutating func tag(_ tag: Substring, _ open: inout [Open]) {
        if tag.hasPrefix("/") {
            let name = tag.dropFirst().prefix { $0.isLetter || $0.isNumber }.lowercased()
            guard let place = open.lastIndex(where: { $0.name == name }) else { return }
            let element = open[place]
            let wasSeen = !open.contains(where: \.hides)
            open.removeSubrange(place...)
            let said = self.words.utf8.dropFirst(element.wordsBefore).contains { $0 > 0x20 }
            if let link = element.link, wasSeen, said { self.links.append(link) }
            return
        }
        let name = tag.prefix { $0.isLetter || $0.isNumber }.lowercased()
        guard !name.isEmpty, !Self.empty.contains(name), !tag.hasSuffix("/") else {
            if name == "br" || name == "hr" { self.words += "\n" }
            return
        }
        let attributes = tag.dropFirst(name.count)
        let link = name == "a" ? Self.value(of: "href", in: attributes).map { Self.plain($0[...]) } : nil
        open.append(
            Open(
                name: name, hides: Self.unseen.contains(name) || Self.isHidden(attributes), link: link,
                wordsBefore: self.words.utf8.count))
    }

    private static func isHidden(_ attributes: Substring) -> Bool {
        let style = (self.value(of: "style", in: attributes) ?? "").lowercased().filter { !$0.isWhitespace }
        let hiding = ["display:none", "visibility:hidden", "font-size:0", "opacity:0;", "max-height:0"]
        if hiding.contains(where: { style.contains($0) }) || style.hasSuffix("opacity:0") { return true }
        return attributes.split(whereSeparator: \.isWhitespace).contains { $0.lowercased() == "hidden" }
    }

    private static func value(of name: String, in attributes: Substring) -> String? {
        let lowered = attributes.lowercased()
        guard let place = lowered.range(of: "\(name)=") else { return nil }
        let offset = lowered.distance(from: lowered.startIndex, to: place.upperBound)
        let value = attributes.dropFirst(offset)
        guard let quote = value.first else { return nil }
        if quote == "\"" || quote == "'" { return String(value.dropFirst().prefix { $0 != quote }) }
        return String(value.prefix { !$0.isWhitespace })
    }

    /// The place of the `>` that ends a tag; one inside quotes does not.
    private static func endOfTag(_ text: Substring) -> Substring.Index? {
        var quote: Character?
        for index in text.indices {
            let character = text[index]
            if let open = quote {
                if character == open { quote = nil }
            } else if character == "\"" || character == "'" {
                quote = character
            } else if character == ">" {
                return index
            }
        }
        return nil
    }

    private static func after(_ mark: String, _ text: Substring) -> Substring {
        text.range(of: mark).map { text[$0.upperBound...] } ?? ""
    }

    private static func plain(_ text: Substring) -> String {
        var result = String(text)
        for (code, character) in [
            ("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&#x27;", "'"), ("&nbsp;", " "),
            ("&amp;", "&"),
        ] where result.contains("&") {
            result = result.replacing(code, with: character)
        }
        return result
    }
}
