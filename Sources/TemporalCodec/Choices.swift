public import History
public import TemporalAPI

// Closed choices to and from their enums: `init?` is nil for "not set" and for numbers that this program does not know,
// `wire` always has a value.

extension WorkflowIDReusePolicy {
    public init?(_ wire: Temporal_Api_Enums_V1_WorkflowIdReusePolicy) { self.init(rawValue: number(wire.rawValue)) }
    public var wire: Temporal_Api_Enums_V1_WorkflowIdReusePolicy { .init(rawValue: Int(rawValue)) ?? .unspecified }
}

extension WorkflowIDConflictPolicy {
    public init?(_ wire: Temporal_Api_Enums_V1_WorkflowIdConflictPolicy) { self.init(rawValue: number(wire.rawValue)) }
    public var wire: Temporal_Api_Enums_V1_WorkflowIdConflictPolicy { .init(rawValue: Int(rawValue)) ?? .unspecified }
}

extension WorkflowStatus {
    public init?(_ wire: Temporal_Api_Enums_V1_WorkflowExecutionStatus) { self.init(rawValue: number(wire.rawValue)) }
    public var wire: Temporal_Api_Enums_V1_WorkflowExecutionStatus { .init(rawValue: Int(rawValue)) ?? .unspecified }
}

extension TimeoutType {
    public init?(_ wire: Temporal_Api_Enums_V1_TimeoutType) { self.init(rawValue: number(wire.rawValue)) }
    public var wire: Temporal_Api_Enums_V1_TimeoutType { .init(rawValue: Int(rawValue)) ?? .unspecified }
}

extension RetryState {
    public init?(_ wire: Temporal_Api_Enums_V1_RetryState) { self.init(rawValue: number(wire.rawValue)) }
    public var wire: Temporal_Api_Enums_V1_RetryState { .init(rawValue: Int(rawValue)) ?? .unspecified }
}

extension ContinueAsNewInitiator {
    public init?(_ wire: Temporal_Api_Enums_V1_ContinueAsNewInitiator) { self.init(rawValue: number(wire.rawValue)) }
    public var wire: Temporal_Api_Enums_V1_ContinueAsNewInitiator { .init(rawValue: Int(rawValue)) ?? .unspecified }
}

extension ParentClosePolicy {
    public init?(_ wire: Temporal_Api_Enums_V1_ParentClosePolicy) { self.init(rawValue: number(wire.rawValue)) }
    public var wire: Temporal_Api_Enums_V1_ParentClosePolicy { .init(rawValue: Int(rawValue)) ?? .unspecified }
}

extension WorkflowTaskFailedCause {
    /// A cause that this program does not know counts as unspecified.
    public init(_ wire: Temporal_Api_Enums_V1_WorkflowTaskFailedCause) {
        self = Self(rawValue: number(wire.rawValue)) ?? .unspecified
    }
    public var wire: Temporal_Api_Enums_V1_WorkflowTaskFailedCause { .init(rawValue: Int(rawValue)) ?? .unspecified }
}

private func number(_ wire: Int) -> Int32 { Int32(truncatingIfNeeded: wire) }
