import Runtime

/// `/v1/templates`, `/v1/preferences`, `/v1/suppressions`. The tenant is a query parameter of each.
extension HTTPService {
    static func addTemplateRoutes(_ table: inout RouteTable<Handler>) {
        table.add("GET", "/v1/templates") { service, question, _ in
            .json(try Self.value(try await service.notificationDesk().templates(tenant: service.tenant(question))))
        }
        table.add("GET", "/v1/templates/{id}") { service, question, values in
            .json(
                try Self.value(
                    try await service.notificationDesk().template(
                        tenant: service.tenant(question), id: values["id"] ?? "")))
        }
        table.add("PUT", "/v1/templates/{id}") { try await $0.saveTemplate($1, id: $2["id"] ?? "", version: nil) }
        table.add("POST", "/v1/templates/{id}/versions") {
            try await $0.saveTemplate($1, id: $2["id"] ?? "", version: nil)
        }
        table.add("PUT", "/v1/templates/{id}/versions/{version}") {
            try await $0.saveTemplate($1, id: $2["id"] ?? "", version: $2["version"])
        }
        table.add("POST", "/v1/templates/{id}/versions/{version}/activate") {
            try await $0.activateTemplate($1, id: $2["id"] ?? "", version: $2["version"] ?? "")
        }
        table.add("GET", "/v1/preferences/{subject}") { service, question, values in
            .json(
                try Self.value(
                    try await service.notificationDesk().preferences(
                        tenant: service.tenant(question), subject: values["subject"] ?? "")))
        }
        table.add("PUT", "/v1/preferences/{subject}") { service, question, values in
            .json(
                try Self.value(
                    try await service.notificationDesk().setPreference(
                        tenant: service.tenant(question), subject: values["subject"] ?? "",
                        body: service.strictJSON(question))))
        }
        table.add("GET", "/v1/suppressions") { service, question, _ in try await service.suppressions(question) }
        table.add("POST", "/v1/suppressions") { service, question, _ in
            try await service.changeSuppression(question, removes: false)
        }
        table.add("DELETE", "/v1/suppressions") { service, question, _ in
            try await service.changeSuppression(question, removes: true)
        }
    }

    private func saveTemplate(_ question: HTTPQuestion, id: String, version: String?) async throws -> HTTPAnswer {
        guard TemplateName.isValid(id) else {
            throw Problem.validation([.init(pointer: "/id", detail: TemplateName.expected)])
        }
        let number = version.map { Int($0) ?? 0 }
        if let number, number < 1 { throw Problem.notFound("there is no such version") }
        let saved = try await notificationDesk().saveTemplate(
            tenant: tenant(question), id: id, version: number, body: strictJSON(question))
        return .json(try Self.value(saved), status: number == nil ? 201 : 200)
    }

    private func activateTemplate(_ question: HTTPQuestion, id: String, version: String) async throws -> HTTPAnswer {
        guard let number = Int(version), number >= 1 else { throw Problem.notFound("there is no such version") }
        let isTest = question.body.isEmpty ? false : try strictJSON(question)["alongside"]?.bool ?? false
        return .json(
            try Self.value(
                try await notificationDesk().activateTemplate(
                    tenant: tenant(question), id: id, version: number, alongside: isTest)))
    }

    private func suppressions(_ question: HTTPQuestion) async throws -> HTTPAnswer {
        let desk = try notificationDesk()
        let tenant = try tenant(question)
        return try await page(question, list: "suppressions", filter: tenant) { after, limit in
            try await desk.suppressions(tenant: tenant, after: after, limit: limit)
        }
    }

    private func changeSuppression(_ question: HTTPQuestion, removes: Bool) async throws -> HTTPAnswer {
        var fields = FieldReader(try strictJSON(question))
        let channel = fields.text("channel", required: true, lengths: 1...10) ?? ""
        var address = fields.text("address", required: true, lengths: 1...320) ?? ""
        let reason = fields.text("reason", lengths: 1...200) ?? "by hand"
        fields.refuseOthers()
        switch channel {
        case "email":
            do throws(EmailAddress.Refusal) {
                address = try EmailAddress(address).text
            } catch {
                fields.fault("address", error.detail)
            }
        case "sms":
            if !PhoneNumber.isValid(address) { fields.fault("address", "expected '+' and 7 to 15 digits (E.164)") }
        case "wechat": break
        default: fields.fault("channel", "expected one of email, sms, wechat")
        }
        guard fields.faults.isEmpty else { throw Problem.validation(fields.faults) }
        let desk = try notificationDesk()
        let tenant = try tenant(question)
        let verdict =
            removes
            ? try await desk.unsuppress(tenant: tenant, channel: channel, address: address)
            : try await desk.suppress(tenant: tenant, channel: channel, address: address, reason: reason)
        return .json(try Self.value(verdict))
    }

    /// One page of a list that a desk keeps: `limit`, `after`; the cursor is signed and good for this filter only.
    func page(
        _ question: HTTPQuestion, list: String, filter: String,
        _ fetch: (_ after: [String]?, _ limit: Int) async throws -> DeskPage
    ) async throws -> HTTPAnswer {
        let limit = question.parameter("limit").map { Int($0) ?? 0 } ?? options.listLimit
        guard (1...options.listLimitMax).contains(limit) else {
            throw Problem(
                .validation, status: 400, "The request is not valid", detail: "a parameter was refused",
                errors: [.init(pointer: "/limit", detail: "expected 1 to \(options.listLimitMax)")])
        }
        let cursor = PlaceCursor(key: options.key)
        let scope = "\(list)\n\(filter)"
        let after = try question.parameter("after").map { text throws(Problem) in try cursor.decode(text, filter: scope)
        }
        let page = try await fetch(after, limit)
        let next: JSONValue = page.next.map { .string(cursor.encode($0, filter: scope)) } ?? .null
        return .json(.record(("items", .array(page.items)), ("next", next)))
    }
}
