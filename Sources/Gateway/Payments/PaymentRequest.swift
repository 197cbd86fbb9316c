import FoundationEssentials

/// The body of `POST /v1/payments`, checked.
struct PaymentRequest: Hashable, Sendable {
    var merchantID: String
    /// The body with its defaults filled in: the workflow's input but for the ids.
    var body: JSONValue

    /// - Throws: a 422 problem that names every field that was refused; nothing of the body is repeated in it.
    init(_ json: JSONValue, rules: PaymentRules) throws(Problem) {
        if let pointer = CardNumbers.find(in: json) {
            throw .validation([.init(pointer: pointer, detail: "looks like a card number; send a token instead")])
        }
        var fields = FieldReader(json)
        let merchant = Self.merchant(&fields, rules)
        _ = fields.text("order_id", required: true, lengths: 1...64)
        let provider = fields.text("provider", lengths: 1...40) ?? "sandbox"
        Self.money(&fields, provider, rules)
        Self.method(&fields)
        let mode = Self.mode(&fields)
        Self.items(&fields, rules)
        Self.extras(&fields, rules)
        let partial = fields.flag("partial_capture") ?? false
        fields.refuseOthers()
        guard fields.faults.isEmpty else { throw .validation(fields.faults) }
        merchantID = merchant
        var body = json
        body["provider"] = .string(provider)
        body["mode"] = .string(mode)
        body["partial_capture"] = .bool(partial)
        self.body = body
    }

    private static func merchant(_ fields: inout FieldReader, _ rules: PaymentRules) -> String {
        guard let merchant = fields.text("merchant_id", required: true, lengths: 1...40) else { return "" }
        let isWellFormed = merchant.utf8.allSatisfy { byte in
            (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte) || byte == UInt8(ascii: "_")
                || byte == UInt8(ascii: "-")
        }
        if !isWellFormed {
            fields.fault("merchant_id", "expected lower-case letters, digits, '_' and '-'")
        } else if !rules.isKnownMerchant(merchant) {
            fields.fault("merchant_id", "is not a known merchant")
        }
        return merchant
    }

    private static func money(_ fields: inout FieldReader, _ provider: String, _ rules: PaymentRules) {
        let limit = rules.amountMaxByProvider[provider]
        if limit == nil { fields.fault("provider", "is not a known provider") }
        _ = fields.integer("amount", required: true, in: 1...min(limit ?? 99_999_999, 99_999_999))
        _ = fields.integer("review_over", in: 0...99_999_999)
        guard let currency = fields.text("currency", required: true, lengths: 3...3) else { return }
        if Currencies.exponent(of: currency) == nil { fields.fault("currency", "is not a currency code of ISO 4217") }
    }

    private static func method(_ fields: inout FieldReader) {
        guard let method = fields.text("payment_method", required: true, lengths: 1...255) else { return }
        let token = method.hasPrefix("pm_") ? method.dropFirst(3) : method.hasPrefix("tok_") ? method.dropFirst(4) : ""
        let isToken =
            !token.isEmpty
            && token.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
            }
        if !isToken { fields.fault("payment_method", "expected a token: pm_ or tok_ and letters or digits") }
    }

    private static func mode(_ fields: inout FieldReader) -> String {
        guard let mode = fields.value("mode") else { return "interactive" }
        let modes = ["interactive", "off_session"]
        if !modes.contains(mode.text ?? "") { fields.fault("mode", "expected one of \(modes.joined(separator: ", "))") }
        return mode.text ?? ""
    }

    private static func items(_ fields: inout FieldReader, _ rules: PaymentRules) {
        guard let items = fields.value("items") else { return }
        guard let elements = items.elements else {
            return fields.fault("items", "expected an array, got \(items.kindName)")
        }
        if elements.count > rules.itemsMax {
            return fields.fault("items", "expected at most \(rules.itemsMax) items, got \(elements.count)")
        }
        for (index, element) in elements.enumerated() {
            var item = FieldReader(element, path: ["items", "\(index)"])
            _ = item.text("sku", required: true, lengths: 1...128)
            _ = item.integer("qty", required: true, in: 1...1_000_000)
            if element.members != nil { item.refuseOthers() }
            fields.add(element.members == nil ? Array(item.faults.prefix(1)) : item.faults)
        }
    }

    private static func extras(_ fields: inout FieldReader, _ rules: PaymentRules) {
        if let shipping = fields.value("shipping"), shipping.members == nil {
            fields.fault("shipping", "expected an object, got \(shipping.kindName)")
        }
        if let metadata = fields.value("metadata") {
            if let members = metadata.members {
                if members.count > rules.metadataMax {
                    fields.fault("metadata", "expected at most \(rules.metadataMax) members, got \(members.count)")
                }
            } else {
                fields.fault("metadata", "expected an object, got \(metadata.kindName)")
            }
        }
        if let url = fields.text("callback_url", lengths: 1...2048) {
            let parsed = URL(string: url)
            let isWeb = parsed?.scheme == "https" || parsed?.scheme == "http"
            if !isWeb || (parsed?.host() ?? "").isEmpty {
                fields.fault("callback_url", "expected an http or https URL")
            }
        }
    }
}

/// The body of `POST /v1/payments/{id}/refunds`, checked.
struct RefundRequest: Hashable, Sendable {
    var amount: Int64
    var reason: String
    /// Chosen by the client, so that it is the refund's own key; made here when missing.
    var refundID: String?

    init(_ json: JSONValue) throws(Problem) {
        if let pointer = CardNumbers.find(in: json) {
            throw .validation([.init(pointer: pointer, detail: "looks like a card number; send a token instead")])
        }
        var fields = FieldReader(json)
        amount = fields.integer("amount", required: true, in: 1...99_999_999) ?? 0
        reason = fields.text("reason", lengths: 1...255) ?? ""
        refundID = fields.text("refund_id", lengths: 1...64)
        if let id = refundID, !id.utf8.allSatisfy({ (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "/") }) {
            fields.fault("refund_id", "expected printable characters without '/'")
        }
        fields.refuseOthers()
        guard fields.faults.isEmpty else { throw .validation(fields.faults) }
    }
}
