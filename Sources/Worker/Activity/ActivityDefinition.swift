/// A piece of work with effects: it may call, read and write the outside world, and it is tried again when it fails.
///
/// ```swift
/// struct Authorize: ActivityDefinition {
///     static let name = "Authorize"
///     let bank: Bank
///     func run(_ order: Order, _ context: ActivityContext) async throws -> Receipt {
///         try await bank.authorize(order, key: "\(context.info.workflowID)/\(context.info.activityID)")
///     }
/// }
/// ```
///
/// One value serves all executions, many at the same time. An attempt may have had its effect although it failed, and the
/// activity may run again after it succeeded (the worker died before it could say so), so effects need a key that stays the
/// same from attempt to attempt.
public protocol ActivityDefinition<Input, Output>: Sendable {
    /// The argument; ``NoValue`` for none.
    associatedtype Input: Codable & Sendable
    /// The result; ``NoValue`` for none.
    associatedtype Output: Codable & Sendable

    /// The activity type as workflows name it. The name of the Swift type if not given.
    static var name: String { get }

    /// The pauses between attempts, drawn with full jitter and sent to the server with each failure; nil leaves them to the
    /// retry policy. Nil if not given.
    var retryBackoff: RetryBackoff? { get }

    /// One attempt.
    ///
    /// - Throws: An ``ApplicationFailure``, or any error (retried unless it says otherwise). `CancellationError` or a
    ///   ``CanceledFailure`` after a cancellation was asked for ends the activity as cancelled. ``ActivityCompletesLater``
    ///   leaves it open for ``ActivityHandle``.
    func run(_ input: Input, _ context: ActivityContext) async throws -> Output
}

extension ActivityDefinition {
    public static var name: String { "\(Self.self)" }
    public var retryBackoff: RetryBackoff? { nil }
}

/// Thrown by an activity whose result somebody else will report, by task token or by id.
public struct ActivityCompletesLater: Error, Hashable, Sendable {
    public init() {}
}

/// An activity as a worker holds it: a name, and code from encoded arguments to an encoded result.
public struct RegisteredActivity: Sendable {
    /// The activity type.
    public let name: String
    let retryBackoff: RetryBackoff?
    /// Serves every activity type that has no activity of its own.
    var isDynamic = false
    let run: @Sendable (_ input: [UInt8], ActivityContext, DataConverter) async throws -> [UInt8]

    /// An activity of its own type.
    public init<Definition: ActivityDefinition>(_ definition: Definition) {
        name = Definition.name
        retryBackoff = definition.retryBackoff
        run = { input, context, converter in
            let value = try Self.argument(Definition.Input.self, input, converter)
            return try converter.result(try await definition.run(value, context))
        }
    }

    /// An activity that is a closure.
    ///
    /// ```swift
    /// RegisteredActivity("greet") { (name: String, _) in "Hello, \(name)!" }
    /// ```
    public init<Input: Decodable & Sendable, Output: Encodable & Sendable>(
        _ name: String, retryBackoff: RetryBackoff? = nil,
        _ body: @escaping @Sendable (Input, ActivityContext) async throws -> Output
    ) {
        self.name = name
        self.retryBackoff = retryBackoff
        run = { input, context, converter in
            let value = try Self.argument(Input.self, input, converter)
            return try converter.result(try await body(value, context))
        }
    }

    /// An activity that reads its arguments and makes its result itself, for example one that takes several arguments.
    ///
    /// - Parameter body: Gets the payloads that the codec has opened; see ``DataConverter/value(_:at:of:)``.
    public static func untyped(
        _ name: String, retryBackoff: RetryBackoff? = nil,
        _ body: @escaping @Sendable ([Payload], ActivityContext) async throws -> any Encodable & Sendable
    ) -> RegisteredActivity {
        RegisteredActivity(name: name, retryBackoff: retryBackoff) { input, context, converter in
            try converter.result(try await body(try converter.openedPayloads(wire: input), context))
        }
    }

    /// An activity for every type that the worker has no activity of. Its ``ActivityInfo/activityType`` tells which one it is.
    public static func dynamic(
        retryBackoff: RetryBackoff? = nil,
        _ body: @escaping @Sendable (EncodedValues, ActivityContext) async throws -> any Encodable & Sendable
    ) -> RegisteredActivity {
        var activity = RegisteredActivity(name: "*", retryBackoff: retryBackoff) { input, context, converter in
            try converter.result(try await body(EncodedValues(wire: input, converter: converter), context))
        }
        activity.isDynamic = true
        return activity
    }

    /// Does something else under the same name, for tests that replace what an activity does.
    public func replaced<Input: Decodable & Sendable, Output: Encodable & Sendable>(
        by body: @escaping @Sendable (Input, ActivityContext) async throws -> Output
    ) -> RegisteredActivity { RegisteredActivity(name, retryBackoff: retryBackoff, body) }

    private init(
        name: String, retryBackoff: RetryBackoff?,
        run: @escaping @Sendable ([UInt8], ActivityContext, DataConverter) async throws -> [UInt8]
    ) {
        self.name = name
        self.retryBackoff = retryBackoff
        self.run = run
    }

    /// An argument that does not decode will not decode next time either.
    private static func argument<Input: Decodable>(_ type: Input.Type, _ input: [UInt8], _ converter: DataConverter)
        throws -> Input
    {
        do {
            return try converter.value(type, fromWire: input)
        } catch let failure as ConversionFailure {
            throw ApplicationFailure(failure.description, type: "InvalidArgument", isNonRetryable: true)
        }
    }
}
