/// One misbehaviour asked for through `POST /_ctl/faults`.
struct Fault: Hashable, Sendable {
    enum Action: String, Hashable, Sendable {
        /// The connection ends before anything is executed.
        case dropBefore = "drop_before"
        /// The request is executed and the connection ends without an answer.
        case dropAfter = "drop_after"
        /// The request is executed and its answer held back; the key is in use meanwhile.
        case delay
        /// The answer is an error; `effect` says whether the request was executed all the same.
        case status
        /// The card refuses.
        case decline
        case duplicateWebhook = "dup_webhook"
        /// The webhook waits until the next one has been delivered.
        case reorderWebhook = "reorder_webhook"
        case loseWebhook = "lose_webhook"
    }

    var id: Int
    var action: Action
    var match: Match
    /// The first matching request that is hit, from 1.
    var nth = 1
    /// How many are hit from there on; 0 means all until the faults are cleared.
    var count = 1
    /// Hits this share of the matching requests instead of counting, decided by `seed` and the request's number.
    var probability: Double?
    var seed = 0
    var status = 500
    /// A carrier's own error code.
    var errorCode: Int?
    var effect = false
    var isStored = true
    var retryAfterSeconds: Int?
    var delayMilliseconds = 1000
    var copies = 2
    var decline = CardDecline(declineCode: "generic_decline", adviceCode: "do_not_try_again")
    private(set) var matched = 0
    private(set) var hits = 0

    /// Which requests a fault is about.
    struct Match: Hashable, Sendable {
        /// `POST`, `WEBHOOK`, `*`.
        var method: String
        /// The path with `*` for any one segment, or the type of a webhook's event.
        var path: String
        var key: String?
        var paymentID: String?

        func accepts(method: String, path: String, key: String?, paymentID: String?) -> Bool {
            guard self.method == "*" || self.method == method else { return false }
            guard self.key == nil || self.key == key, self.paymentID == nil || self.paymentID == paymentID else {
                return false
            }
            if self.path == "*" { return true }
            let wanted = self.path.split(separator: "/")
            let actual = path.split(separator: "/")
            return wanted.count == actual.count && zip(wanted, actual).allSatisfy { $0 == "*" || $0 == $1 }
        }
    }

    /// Reads a fault as the control API words it.
    init?(_ document: JSONValue, id: Int) {
        guard let action = document["action"]?.string.flatMap(Action.init(rawValue:)) else { return nil }
        guard let match = document["match"].flatMap(Match.init) else { return nil }
        self.id = id
        self.action = action
        self.match = match
        self.nth = document["nth"]?.int ?? 1
        self.count = document["count"]?.int ?? 1
        self.probability = document["probability"]?.double
        self.seed = document["seed"]?.int ?? 0
        self.status = document["status"]?.int ?? 500
        self.errorCode = document["code"]?.int
        self.effect = document["effect"]?.bool ?? false
        self.isStored = document["stored"]?.bool ?? (self.status >= 500 && self.status != 503)
        self.retryAfterSeconds = document["retry_after"]?.int
        self.delayMilliseconds = document["delay_ms"]?.int ?? 1000
        self.copies = document["copies"]?.int ?? 2
        self.decline = CardDecline(
            code: document["code"]?.string ?? "card_declined",
            declineCode: document["decline_code"]?.string ?? "generic_decline",
            adviceCode: document["advice_code"]?.string ?? document["advice"]?.string ?? "do_not_try_again")
    }

    /// Counts a matching request and says whether it is hit.
    mutating func hit(number: Int) -> Bool {
        self.matched += 1
        let isHit: Bool
        if let probability {
            isHit = self.matched >= self.nth && Fault.share(seed: self.seed, number: number &+ self.id) < probability
        } else {
            isHit = self.matched >= self.nth && (self.count == 0 || self.matched < self.nth + self.count)
        }
        if isHit { self.hits += 1 }
        return isHit
    }

    var json: JSONValue {
        [
            "id": .int(self.id), "action": .string(self.action.rawValue),
            "match": .string("\(self.match.method) \(self.match.path)"),
            "nth": .int(self.nth), "count": .int(self.count), "matched": .int(self.matched), "hits": .int(self.hits),
        ]
    }

    /// A number in 0..<1 from a seed: splitmix64, one step.
    private static func share(seed: Int, number: Int) -> Double {
        var bits = UInt64(bitPattern: Int64(seed)) &+ UInt64(bitPattern: Int64(number)) &* 0x9E37_79B9_7F4A_7C15
        bits = (bits ^ (bits >> 30)) &* 0xBF58_476D_1CE4_E5B9
        bits = (bits ^ (bits >> 27)) &* 0x94D0_49BB_1331_11EB
        bits ^= bits >> 31
        return Double(bits >> 11) / Double(1 << 53)
    }
}

extension Fault.Match {
    /// From `"POST /v1/refunds"`, or an object with `method`, `path`, `key`, `payment_id`.
    init?(_ document: JSONValue) {
        if let text = document.string {
            let parts = text.split(separator: " ", maxSplits: 1).map(String.init)
            guard let last = parts.last else { return nil }
            self.init(method: parts.count == 2 ? parts[0] : "*", path: last)
            return
        }
        guard document["path"] != nil || document["key"] != nil || document["payment_id"] != nil else { return nil }
        self.init(
            method: document["method"]?.string ?? "*", path: document["path"]?.string ?? "*",
            key: document["key"]?.string,
            paymentID: document["payment_id"]?.string)
    }
}
