/// Where the broker is and how to get in.
public struct NATSConfiguration: Sendable {
    public var url: String
    /// Shown by the broker's monitoring.
    public var name: String
    public var user: String?
    public var password: String?
    public var token: String?
    public var useTLS: Bool
    /// PEM file with the authorities to trust; only with TLS.
    public var certificateAuthorityFile: String?

    public init(
        url: String, name: String = "aloft", user: String? = nil, password: String? = nil, token: String? = nil,
        useTLS: Bool = false, certificateAuthorityFile: String? = nil
    ) {
        self.url = url
        self.name = name
        self.user = user
        self.password = password
        self.token = token
        self.useTLS = useTLS
        self.certificateAuthorityFile = certificateAuthorityFile
    }
}

/// Bounds of the messaging layer.
public enum MessagingLimits {
    public static let publishBatchMax = 512
    public static let acknowledgementMillisecondsMax: Int64 = 10_000
    public static let requestMillisecondsMax: Int64 = 5_000
    public static let connectMillisecondsMax: Int64 = 2_000
    public static let reconnectMillisecondsMin = 50
    public static let reconnectMillisecondsMax = 5_000
}
