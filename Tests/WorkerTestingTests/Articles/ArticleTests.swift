import Foundation
import Testing

@Suite("The articles show code that compiles")
struct ArticleTests {
    private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    private static func trimmed(_ text: some StringProtocol) -> [String] {
        text.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces).replacing("  ", with: " ") }
            .filter { !$0.isEmpty }
    }

    /// The lines of each block of Swift.
    private static func blocks(_ article: String) -> [[String]] {
        article.components(separatedBy: "```swift\n").dropFirst().compactMap { rest in
            rest.components(separatedBy: "```").first.map { trimmed($0) }
        }
    }

    @Test(
        "Every block of code stands in the sources of this target",
        arguments: ["Workflows", "Activities", "Testing", "Versioning"])
    func blocksCompile(article: String) throws {
        let text = try String(
            contentsOf: Self.root.appending(path: "Sources/Worker/Worker.docc/\(article).md"), encoding: .utf8)
        let source = Self.trimmed(
            try String(
                contentsOf: URL(filePath: #filePath).deletingLastPathComponent().appending(
                    path: "\(article)Article.swift"), encoding: .utf8))
        let blocks = Self.blocks(text)
        #expect(!blocks.isEmpty)
        for block in blocks {
            let isThere = source.indices.contains { source[$0...].starts(with: block) }
            #expect(isThere, "\(article): \(block.first ?? "") … is not in the sources")
        }
    }
}
