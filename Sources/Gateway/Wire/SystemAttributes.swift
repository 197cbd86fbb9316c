import History
import TemporalAPI

/// The search attributes that exist in every namespace.
enum SystemAttributes {
    /// Facts of the run itself; nobody can set them.
    static let columns: [String: SearchAttributeType] = [
        "CloseTime": .datetime, "ExecutionDuration": .int, "ExecutionStatus": .keyword, "ExecutionTime": .datetime,
        "HistoryLength": .int, "HistorySizeBytes": .int, "ParentRunId": .keyword, "ParentWorkflowId": .keyword,
        "RootRunId": .keyword, "RootWorkflowId": .keyword, "RunId": .keyword, "StartTime": .datetime,
        "StateTransitionCount": .int, "TaskQueue": .keyword, "WorkflowId": .keyword, "WorkflowType": .keyword,
    ]

    /// Those that requests and commands may set in every namespace.
    static let predefined: [String: SearchAttributeType] = [
        "BatcherNamespace": .keyword, "BatcherUser": .keyword, "BinaryChecksums": .keywordList,
        "BuildIds": .keywordList,
        "TemporalChangeVersion": .keywordList, "TemporalNamespaceDivision": .keyword,
        "TemporalPauseInfo": .keywordList, "TemporalReportedProblems": .keywordList,
        "TemporalScheduledById": .keyword, "TemporalSchedulePaused": .bool, "TemporalScheduledStartTime": .datetime,
        "TemporalUsedWorkerDeploymentVersions": .keywordList, "TemporalWorkerDeployment": .keyword,
        "TemporalWorkerDeploymentVersion": .keyword, "TemporalWorkflowVersioningBehavior": .keyword,
    ]

    /// Every name with its type, as `GetSearchAttributes` and `ListSearchAttributes` answer.
    static let types: [(name: String, type: SearchAttributeType)] = columns.merging(predefined) { first, _ in first }
        .map { (name: $0.key, type: $0.value) }.sorted { $0.name < $1.name }

    static func isReserved(_ name: String) -> Bool { columns[name] != nil || predefined[name] != nil }
}

extension Temporal_Api_Enums_V1_IndexedValueType {
    init(_ type: SearchAttributeType) { self = Self(rawValue: Int(type.rawValue)) ?? .unspecified }
}

extension SearchAttributeType {
    init?(_ type: Temporal_Api_Enums_V1_IndexedValueType) { self.init(rawValue: Int32(type.rawValue)) }
}
