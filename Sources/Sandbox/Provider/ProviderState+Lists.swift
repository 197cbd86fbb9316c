/// Lists, newest first, in pages.
extension ProviderState {
    private static let pageDefault = 10
    private static let pageMax = 100

    func listIntents(_ request: SandboxRequest) -> JSONValue {
        let wanted = request.form.table("metadata")
        let found = self.intentOrder.reversed().compactMap { self.intents[$0] }.filter { intent in
            wanted.allSatisfy { intent.metadata[$0.key] == $0.value }
        }
        return self.page(found.map { $0.json(expanding: []) }, request, object: "list")
    }

    /// `query=metadata['payment_id']:'…'`, the one form we answer.
    func searchIntents(_ request: SandboxRequest) throws(ProviderError) -> JSONValue {
        let query = request.form["query"] ?? ""
        let parts = query.split(whereSeparator: { $0 == "'" || $0 == "\"" }).map(String.init)
        guard parts.count == 4, parts[0] == "metadata[", parts[2] == "]:" else {
            throw .invalid("We were unable to parse your search query.", parameter: "query")
        }
        let found = self.intentOrder.reversed().compactMap { self.intents[$0] }.filter {
            $0.metadata[parts[1]] == parts[3]
        }
        return self.page(found.map { $0.json(expanding: []) }, request, object: "search_result")
    }

    func listRefunds(_ request: SandboxRequest) -> JSONValue {
        let wanted = request.form["payment_intent"]
        let found = self.refunds.reversed().filter { wanted == nil || $0.intent == wanted }
        return self.page(found.map(\.json), request, object: "list")
    }

    func listTransactions(_ request: SandboxRequest) -> JSONValue {
        let from = request.form["created[gte]"].flatMap { Int($0) } ?? Int.min
        let until = request.form["created[lt]"].flatMap { Int($0) } ?? Int.max
        let source = request.form["source"]
        let found = self.transactions.reversed().filter {
            $0.created >= from && $0.created < until && (source == nil || $0.source == source)
        }
        return self.page(found.map(\.json), request, object: "list")
    }

    func listEvents(_ request: SandboxRequest) -> JSONValue {
        let type = request.form["type"]
        let found = self.events.reversed().filter { type == nil || $0.type == type }
        return self.page(found.map(\.json), request, object: "list")
    }

    private func page(_ all: [JSONValue], _ request: SandboxRequest, object: String) -> JSONValue {
        let limit = min(max(1, request.form["limit"].flatMap { Int($0) } ?? Self.pageDefault), Self.pageMax)
        var rest = all[...]
        if let after = request.form["starting_after"] {
            rest = rest.drop { $0["id"]?.string != after }.dropFirst()
        }
        let data = Array(rest.prefix(limit))
        return [
            "object": .string(object), "url": .string(request.path), "has_more": .bool(rest.count > data.count),
            "data": .array(data), "next_page": nil,
        ]
    }
}
