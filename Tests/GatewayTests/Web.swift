import Foundation
import Gateway
import History
import Logging
import Runtime

/// Asks the HTTP service without a server.
struct Web: Sendable {
    let service: HTTPService

    init(_ backend: any Backend, _ change: (inout HTTPOptions) -> Void = { _ in }) {
        var options = HTTPOptions(key: .random())
        options.progressWait = .milliseconds(10)
        options.refundWait = .milliseconds(10)
        change(&options)
        service = HTTPService(
            backend: backend, wire: WireService(backend: backend), options: options, logger: Logger(label: "test"))
    }

    func ask(
        _ method: String, _ path: String, _ body: String = "", query: [(name: String, value: String)] = [],
        headers: [(name: String, value: String)] = []
    ) async -> HTTPAnswer {
        await service.answer(
            HTTPQuestion(method: method, path: path, query: query, headers: headers, body: Array(body.utf8)))
    }

    func pay(_ body: String, key: String? = "key-1") async -> HTTPAnswer {
        await ask("POST", "/v1/payments", body, headers: key.map { [("idempotency-key", $0)] } ?? [])
    }
}

extension HTTPAnswer {
    var json: JSONValue { (try? JSONParser.parse(body)) ?? .null }
    var text: String { String(decoding: body, as: UTF8.self) }
    var pointers: [String] { (json["errors"]?.elements ?? []).compactMap { $0["pointer"]?.text } }
}

enum PaymentBodies {
    static let good =
        #"{"merchant_id":"shop_1","order_id":"o-1","amount":1250,"currency":"EUR","payment_method":"pm_card"}"#

    /// The good body with one member replaced or added.
    static func with(_ name: String, _ value: String) -> String {
        var json = (try? JSONParser.parse(Array(good.utf8))) ?? .null
        json[name] = (try? JSONParser.parse(Array(value.utf8))) ?? .null
        return String(decoding: JSONWriter.write(json), as: UTF8.self)
    }
}
