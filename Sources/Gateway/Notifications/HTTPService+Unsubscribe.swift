import Runtime

/// `/u/{token}`: one click leaves a list (RFC 8058). Only POST changes anything: mail scanners follow links.
extension HTTPService {
    static func addUnsubscribeRoutes(_ table: inout RouteTable<Handler>) {
        table.add("GET", "/u/{token}") { service, _, values in try service.unsubscribePage(values["token"] ?? "") }
        table.add("POST", "/u/{token}") { service, _, values in try await service.unsubscribe(values["token"] ?? "") }
    }

    private func unsubscribePage(_ token: String) throws -> HTTPAnswer {
        guard try notificationDesk().list(ofToken: token) != nil else {
            throw Problem.notFound("this link is not one of ours")
        }
        return Self.page(
            "Unsubscribe",
            "<form method=\"post\"><p>Do you want no more of these messages?</p>"
                + "<button type=\"submit\">Unsubscribe</button></form>")
    }

    private func unsubscribe(_ token: String) async throws -> HTTPAnswer {
        guard try await notificationDesk().optOut(token: token) else {
            throw Problem.notFound("this link is not one of ours")
        }
        return Self.page("Unsubscribed", "<p>You get no more of these messages.</p>")
    }

    private static func page(_ title: String, _ body: String) -> HTTPAnswer {
        let text =
            "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"robots\" content=\"noindex\">"
            + "<title>\(title)</title></head><body>\(body)</body></html>"
        return HTTPAnswer(
            status: 200,
            headers: [
                .init("Content-Type", "text/html; charset=utf-8"), .init("Cache-Control", "no-store"),
                .init("Referrer-Policy", "no-referrer"),
                .init("Content-Security-Policy", "default-src 'none'; form-action 'self'"),
            ], body: Array(text.utf8))
    }
}
