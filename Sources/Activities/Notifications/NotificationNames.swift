import Crypto
import Foundation

public enum Channel: String, Codable, Hashable, Sendable, CaseIterable {
    case email, sms, wechat
}

public enum Category: String, Codable, Hashable, Sendable, CaseIterable {
    /// Ignores quiet hours and caps; an opt-out never.
    case security
    case transactional
    /// Needs consent.
    case marketing
}

public enum Priority: String, Codable, Hashable, Sendable, CaseIterable {
    case high, normal, low
}

public enum NotificationState: String, Codable, Hashable, Sendable, CaseIterable {
    case accepted = "ACCEPTED"
    case scheduled = "SCHEDULED"
    case sending = "SENDING"
    case sent = "SENT"
    case delivered = "DELIVERED"
    case suppressed = "SUPPRESSED"
    case expired = "EXPIRED"
    case canceled = "CANCELED"
    case dead = "DEAD"
}

/// Who a message is for: a user we have a profile of, or an address.
public struct Recipient: Codable, Hashable, Sendable {
    public var userID: String?
    public var email: String?
    /// E.164.
    public var phone: String?
    public var wechatOpenID: String?
    /// Everything personal of the request, encrypted with the subject's key; then the fields above are empty.
    public var sealed: SealedPerson?

    enum CodingKeys: String, CodingKey {
        case userID = "user_id"
        case email, phone, sealed
        case wechatOpenID = "wechat_openid"
    }

    public init(userID: String? = nil, email: String? = nil, phone: String? = nil, wechatOpenID: String? = nil) {
        self.userID = userID
        self.email = email
        self.phone = phone
        self.wechatOpenID = wechatOpenID
    }

    /// The name under which caps, preferences, consent and keys are kept: `user:{id}`, or a hash of the address.
    public var subject: String {
        if let sealed { return sealed.subject }
        if let userID { return "user:\(userID)" }
        let (channel, address): (Channel, String) =
            if let email {
                (.email, email)
            } else if let phone {
                (.sms, phone)
            } else {
                (.wechat, self.wechatOpenID ?? "")
            }
        return "addr:\(AddressHash(channel, address).hex)"
    }
}

/// The SHA-256 of an address in its normal form: enough to recognize it, not enough to write to it.
public struct AddressHash: Hashable, Sendable {
    public let bytes: [UInt8]

    public init(_ channel: Channel, _ address: String) {
        let normal: String
        switch channel {
        case .email: normal = address.lowercased()
        case .sms: normal = address.filter { !$0.isWhitespace && $0 != "-" }
        case .wechat: normal = address
        }
        self.bytes = Array(SHA256.hash(data: Data("\(channel.rawValue):\(normal)".utf8)))
    }

    public var hex: String { self.bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() }
}

/// How somebody is reached, and how they live.
public struct ContactPoints: Codable, Hashable, Sendable {
    public var email: String?
    public var phone: String?
    public var wechatOpenID: String?
    public var locale: String
    /// IANA name.
    public var timeZone: String

    public init(
        email: String? = nil, phone: String? = nil, wechatOpenID: String? = nil, locale: String = "",
        timeZone: String = "UTC"
    ) {
        self.email = email
        self.phone = phone
        self.wechatOpenID = wechatOpenID
        self.locale = locale
        self.timeZone = timeZone
    }

    public func address(for channel: Channel) -> String? {
        switch channel {
        case .email: return self.email
        case .sms: return self.phone
        case .wechat: return self.wechatOpenID
        }
    }
}

/// The workflow of a notification: `ntf:{tenant}:{id}`; a redriven one adds `:r{n}`.
public enum NotificationIDs {
    public static func workflow(tenant: String, id: String, redrive: Int = 0) -> String {
        "ntf:\(tenant):\(id)" + (redrive > 0 ? ":r\(redrive)" : "")
    }

    public static func digest(tenant: String, subject: String, key: String) -> String {
        "digest:\(tenant):\(subject):\(key)"
    }
}

/// The task queues of the notification family.
public enum NotificationQueues {
    /// Workflows, and steps on our own tables.
    public static let main = "ntf"

    /// Sending on one channel: its slots keep a slow provider from taking the others' places.
    public static func channel(_ channel: Channel) -> String { "ntf-\(channel.rawValue)" }
}
