import History

/// Which tenants are in at a percentage: a growing one never removes a tenant.
public struct TenantBucket: Hashable, Sendable {
    public static let count: UInt64 = 10_000

    /// From 0 to 9,999.
    public let value: UInt64

    /// - Parameter salt: of the rollout or experiment, so that not always the same tenants come first.
    public init(tenant: String, salt: String) {
        let digest = SHA256.hash(Array(salt.utf8) + [0] + Array(tenant.utf8))
        let number = digest.bytes.prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        self.value = number % Self.count
    }

    public func isIn(percent: Double) -> Bool { Double(self.value) < percent * 100 }
}

/// Two or more variants of one thing, shares in percent.
public struct Experiment: Hashable, Sendable, Codable {
    public struct Variant: Hashable, Sendable, Codable {
        public var name: String
        public var percent: Double

        public init(name: String, percent: Double) {
            self.name = name
            self.percent = percent
        }
    }

    public let name: String
    public let variants: [Variant]

    /// - Returns: nil unless the shares are positive and make 100 together, and names differ.
    public init?(name: String, variants: [Variant]) {
        let sum = variants.map(\.percent).reduce(0, +)
        guard variants.count > 1, variants.allSatisfy({ $0.percent > 0 }), abs(sum - 100) < 1e-9,
            Set(variants.map(\.name)).count == variants.count
        else { return nil }
        self.name = name
        self.variants = variants
    }

    /// The same for a tenant each time, as long as the variants are the same.
    public func variant(of tenant: String) -> Variant {
        let place = Double(TenantBucket(tenant: tenant, salt: self.name).value) / 100
        var end = 0.0
        for variant in self.variants.dropLast() {
            end += variant.percent
            if place < end { return variant }
        }
        return self.variants[self.variants.count - 1]
    }
}
