/// Why a template was not taken, or gave no message.
public struct TemplateFault: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Kind: String, Hashable, Sendable {
        /// The template's own text is wrong.
        case syntax
        /// A variable that the template names was not given.
        case missingVariable = "missing_variable"
        /// A bound of ``TemplateLimits`` was passed.
        case tooLarge = "too_large"
        /// A subject or name that would break out of its header line.
        case unsafeHeader = "unsafe_header"
        /// Marketing mail without what the law asks for.
        case compliance
        /// No such template, version or locale.
        case notFound = "not_found"
    }

    public var kind: Kind
    /// The variable or the part of the template that it is about.
    public var name: String
    public var message: String

    public init(_ kind: Kind, name: String = "", _ message: String) {
        self.kind = kind
        self.name = name
        self.message = message
    }

    public var description: String { self.name.isEmpty ? self.message : "\(self.name): \(self.message)" }
}

/// Bounds of what is rendered.
public enum TemplateLimits {
    /// All variables of a message together, names and values.
    public static let variablesBytesMax = 64 << 10
    /// Objects and arrays within each other, and sections within each other.
    public static let depthMax = 16
    /// One part of a message.
    public static let renderedBytesMax = 512 << 10
    /// The text of one part of a template.
    public static let sourceBytesMax = 128 << 10
    /// Tags that one rendering may pass, loops counted.
    public static let stepsMax = 50_000
    public static let subjectBytesMax = 900
    public static let nameBytesMax = 120
}
