import Activities
import Foundation
import Gateway

/// Preferences, suppressions and one-click unsubscribing.
extension NotificationCounter {
    func preferences(tenant: String, subject: String) async throws -> DeskVerdict {
        let (preferences, consents) = try await people.preferences(tenant: tenant, subject: subject)
        return .ok(
            .record(
                ("subject", .string(subject)), ("preferences", .array(try preferences.map { try Bridge.encode($0) })),
                ("consents", .array(try consents.map { try Bridge.encode($0) }))))
    }

    private struct Choice: Decodable {
        var channel: String?
        var category: String?
        var isOptedOut: Bool?
        var quietFrom: String?
        var quietUntil: String?
        var consent: Bool?

        enum CodingKeys: String, CodingKey {
            case channel, category, consent
            case isOptedOut = "opted_out"
            case quietFrom = "quiet_from"
            case quietUntil = "quiet_until"
        }
    }

    func setPreference(tenant: String, subject: String, body: Gateway.JSONValue) async throws -> DeskVerdict {
        let choice: Choice
        do {
            choice = try Bridge.decode(Choice.self, body)
        } catch {
            return .refused([Bridge.fault(error)])
        }
        let (channel, category) = (choice.channel ?? "*", choice.category ?? "*")
        var faults: [DeskFault] = []
        if channel != "*", Channel(rawValue: channel) == nil {
            faults.append(DeskFault("/channel", "expected email, sms, wechat or *"))
        }
        if category != "*", Category(rawValue: category) == nil {
            faults.append(DeskFault("/category", "expected security, transactional, marketing or *"))
        }
        let (from, until) = (choice.quietFrom ?? "", choice.quietUntil ?? "")
        if from.isEmpty != until.isEmpty {
            faults.append(DeskFault("/quiet_until", "quiet hours have a beginning and an end"))
        }
        for (name, text) in [("quiet_from", from), ("quiet_until", until)] where !text.isEmpty && !Self.isTime(text) {
            faults.append(DeskFault("/\(name)", "expected a time of the day like 22:00"))
        }
        if !subject.hasPrefix("user:") && !subject.hasPrefix("addr:") {
            faults.append(DeskFault("/subject", "expected user:… or addr:…"))
        }
        guard faults.isEmpty else { return .refused(faults) }
        let hasPreference = choice.isOptedOut != nil || !from.isEmpty
        try await people.set(
            hasPreference
                ? PeopleStore.Preference(
                    channel: channel, category: category, isOptedOut: choice.isOptedOut ?? false, quietFrom: from,
                    quietUntil: until) : nil,
            consent: choice.consent.map { (category == "*" ? "marketing" : category, $0) }, tenant: tenant,
            subject: subject)
        return try await preferences(tenant: tenant, subject: subject)
    }

    private static func isTime(_ text: String) -> Bool {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, parts.allSatisfy({ $0.utf8.count == 2 }), let hours = Int(parts[0]),
            let minutes = Int(parts[1])
        else { return false }
        return (0..<24).contains(hours) && (0..<60).contains(minutes)
    }

    func suppressions(tenant: String, after: [String]?, limit: Int) async throws -> DeskPage {
        let place = after.flatMap { $0.count == 2 ? (channel: $0[0], hash: $0[1]) : nil }
        let found = try await people.suppressions(tenant: tenant, after: place, limit: limit + 1)
        let page = found.prefix(limit)
        return DeskPage(
            items: try page.map { try Bridge.encode($0) },
            next: found.count > limit ? page.last.map { [$0.channel, $0.addressHash] } : nil)
    }

    func suppress(tenant: String, channel: String, address: String, reason: String) async throws -> DeskVerdict {
        guard let channel = Channel(rawValue: channel) else {
            return .refused([DeskFault("/channel", "is no channel")])
        }
        try await people.suppress(tenant: tenant, channel: channel, address: address, reason: reason)
        return .ok(.record(("suppressed", true)))
    }

    func unsuppress(tenant: String, channel: String, address: String) async throws -> DeskVerdict {
        guard let channel = Channel(rawValue: channel) else {
            return .refused([DeskFault("/channel", "is no channel")])
        }
        guard try await people.unsuppress(tenant: tenant, channel: channel, address: address) else {
            return .notFound("the address is not suppressed")
        }
        return .ok(.record(("suppressed", false)))
    }

    func list(ofToken token: String) -> String? { links.claim(token)?.list }

    func optOut(token: String) async throws -> Bool {
        guard let claim = links.claim(token) else { return false }
        try await people.optOut(claim)
        return true
    }
}
