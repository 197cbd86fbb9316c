/// A version of a tenant's schema, written `V{major}.{minor}`; `V3` is `V3.0`.
public struct MigrationVersion: Hashable, Sendable, Comparable, Codable, CustomStringConvertible {
    public let major: Int
    public let minor: Int

    public init(_ major: Int, _ minor: Int) {
        self.major = major
        self.minor = minor
    }

    /// Reads `V1.2`, `1.2`, `V1` or `1`; nil for anything else.
    public init?(_ text: some StringProtocol) {
        let digits = text.first == "V" ? text.dropFirst() : text[...]
        let parts = digits.split(separator: ".", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count) else { return nil }
        var numbers: [Int] = []
        for part in parts {
            guard (1...Self.digitsMax).contains(part.utf8.count), part.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
                let number = Int(part)
            else { return nil }
            numbers.append(number)
        }
        self.init(numbers[0], numbers.count == 2 ? numbers[1] : 0)
    }

    private static let digitsMax = 9

    public var description: String { "V\(self.major).\(self.minor)" }

    public static func < (left: MigrationVersion, right: MigrationVersion) -> Bool {
        (left.major, left.minor) < (right.major, right.minor)
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let version = MigrationVersion(text) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "expected V{major}.{minor}")
        }
        self = version
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(self.description)
    }
}
