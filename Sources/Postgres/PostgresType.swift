/// A type of Postgres by its OID; only the built-in types that parameters and results here may have.
public struct PostgresType: Hashable, Sendable {
    public let oid: UInt32
    public init(oid: UInt32) { self.oid = oid }

    public static let bool = PostgresType(oid: 16)
    public static let bytea = PostgresType(oid: 17)
    public static let int8 = PostgresType(oid: 20)
    public static let int2 = PostgresType(oid: 21)
    public static let int4 = PostgresType(oid: 23)
    public static let text = PostgresType(oid: 25)
    public static let float8 = PostgresType(oid: 701)
    public static let timestamptz = PostgresType(oid: 1184)
    public static let uuid = PostgresType(oid: 2950)
    public static let jsonb = PostgresType(oid: 3802)

    static let name = PostgresType(oid: 19)
    static let json = PostgresType(oid: 114)
    static let varchar = PostgresType(oid: 1043)
    static let bpchar = PostgresType(oid: 1042)
    static let void = PostgresType(oid: 2278)

    /// The type of a one-dimensional array of this type; nil for a type that has none here.
    var arrayType: PostgresType? {
        switch self {
        case .bool: PostgresType(oid: 1000)
        case .bytea: PostgresType(oid: 1001)
        case .int8: PostgresType(oid: 1016)
        case .int2: PostgresType(oid: 1005)
        case .int4: PostgresType(oid: 1007)
        case .text: PostgresType(oid: 1009)
        case .float8: PostgresType(oid: 1022)
        case .timestamptz: PostgresType(oid: 1185)
        case .uuid: PostgresType(oid: 2951)
        case .jsonb: PostgresType(oid: 3807)
        default: nil
        }
    }

    /// Types whose binary form is the text itself.
    var isText: Bool {
        self == .text || self == .varchar || self == .name || self == .bpchar || self == .json
    }
}
