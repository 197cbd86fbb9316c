import ArgumentParser
import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1

/// Which gateway a command talks to.
struct GatewayAddress: ParsableArguments {
    @Option(name: .long, help: "HTTP address of the server (or ALOFT_HTTP_ADDRESS).")
    var httpAddress: String = ProcessInfo.processInfo.environment["ALOFT_HTTP_ADDRESS"] ?? "http://127.0.0.1:7243"

    /// Asks the gateway.
    ///
    /// - Throws: ``CommandFailure`` with what the gateway said, for anything but success.
    func ask(
        _ method: String, _ path: String, query: [(String, String?)] = [], body: Printable? = nil,
        headers: [(String, String)] = []
    ) async throws -> JSONValue {
        let allowed = CharacterSet.alphanumerics.union(CharacterSet(charactersIn: "-_.~"))
        let words = query.compactMap { name, value in
            value.map { "\(name)=\($0.addingPercentEncoding(withAllowedCharacters: allowed) ?? "")" }
        }
        var request = HTTPClientRequest(
            url: httpAddress + path + (words.isEmpty ? "" : "?" + words.joined(separator: "&")))
        request.method = HTTPMethod(rawValue: method)
        for header in headers { request.headers.add(name: header.0, value: header.1) }
        if let body {
            request.headers.add(name: "content-type", value: "application/json")
            request.body = .bytes(ByteBuffer(string: body.json))
        }
        let response: HTTPClientResponse
        let bytes: ByteBuffer
        do {
            response = try await HTTPClient.shared.execute(request, timeout: .seconds(30))
            bytes = try await response.body.collect(upTo: 64 << 20)
        } catch {
            throw CommandFailure("\(httpAddress) does not answer: \(error)")
        }
        let answer = (try? JSONDecoder().decode(JSONValue.self, from: Data(bytes.readableBytesView))) ?? .null
        guard (200..<300).contains(Int(response.status.code)) else { throw CommandFailure(Self.told(answer)) }
        return answer
    }

    private static func told(_ answer: JSONValue) -> String {
        var text = "\(answer["title"]?.string ?? "refused"): \(answer["detail"]?.string ?? "")"
        if case .array(let errors)? = answer["errors"] {
            for error in errors {
                text += "\n  \(error["pointer"]?.string ?? ""): \(error["detail"]?.string ?? "")"
            }
        }
        return text
    }
}

extension JSONValue {
    /// Members as cells of a table.
    func cells(_ names: String...) -> [String] { names.map { self[$0]?.shown ?? "" } }

    /// A member that is a moment.
    func moment(_ name: String) -> String { self[name]?.moment ?? "" }

    var items: [JSONValue] {
        if case .array(let items) = self { return items }
        return []
    }

    /// A number or a text as it is shown.
    var shown: String {
        switch self {
        case .string(let text): text
        case .integer(let number): "\(number)"
        case .number(let number): "\(number)"
        case .boolean(let flag): flag ? "yes" : "no"
        case .null: ""
        case .array, .object: text
        }
    }

    /// A moment given in unix seconds.
    var moment: String {
        switch self {
        case .integer(let seconds): SpecText.moment(Date(timeIntervalSince1970: Double(seconds)))
        case .number(let seconds): SpecText.moment(Date(timeIntervalSince1970: seconds))
        case .null, .boolean, .string, .array, .object: ""
        }
    }
}
