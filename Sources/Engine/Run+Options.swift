public import History

/// New values for some parts of a priority; nil leaves one as it is.
public struct PriorityChange: Hashable, Sendable {
    public var key: Int32?
    public var fairnessKey: String?
    public var fairnessWeight: Float?
    public init() {}

    var isEmpty: Bool { key == nil && fairnessKey == nil && fairnessWeight == nil }

    func applied(to priority: Priority?) -> Priority? {
        if isEmpty { return priority }
        var changed = priority ?? Priority()
        if let key { changed.key = key }
        if let fairnessKey { changed.fairnessKey = fairnessKey }
        if let fairnessWeight { changed.fairnessWeight = fairnessWeight }
        return changed
    }
}

/// What an open run can be told to be from now on.
public struct RunOptions: Hashable, Sendable {
    public var priority: Priority?
    public var versioningOverride: Blob?
    public init(priority: Priority? = nil, versioningOverride: Blob? = nil) {
        self.priority = priority
        self.versioningOverride = versioningOverride
    }
}

/// New values for some options of a run; whatever is nil stays.
public struct RunOptionsChange: Hashable, Sendable {
    public enum Override: Hashable, Sendable {
        case set(Blob)
        case unset
    }

    public var priority = PriorityChange()
    public var versioningOverride: Override?
    public init() {}
}

/// Changes options of an open run. A change that changes nothing leaves no event.
public struct UpdateRunOptions: Hashable, Sendable {
    public var change: RunOptionsChange
    /// The request id of a start that was answered with this run; empty for a plain change.
    public var attachedRequestID: RequestID
    /// What that start was linked to, if it leaves its links.
    public var links: [Blob]
    public var identity: String
    public init(
        change: RunOptionsChange = .init(), attachedRequestID: RequestID = "", links: [Blob] = [], identity: String = ""
    ) {
        self.change = change
        self.attachedRequestID = attachedRequestID
        self.links = links
        self.identity = identity
    }
}

/// A start that was answered with a run that it did not begin.
public struct AttachedRequest: Hashable, Sendable {
    public var request: RequestID
    /// The event that tells of it.
    public var event: EventID
}

extension Run {
    /// Attached requests are kept for descriptions; the oldest are forgotten beyond this.
    static let attachedRequestsMax = 100

    /// The options as they are now.
    public var options: RunOptions {
        facts.options ?? RunOptions(priority: started?.priority, versioningOverride: started?.versioningOverride)
    }

    var priority: Priority? { options.priority }

    /// The newest starts that were answered with this run, oldest first.
    public var attachedRequests: [AttachedRequest] { facts.attached }

    mutating func updateOptions(_ request: UpdateRunOptions, _ draft: inout Draft) throws(Rejection) {
        guard isOpen else { throw .notFound("workflow execution already completed") }
        if let event = changeOptions(request) { record(.optionsUpdated(event), &draft) }
        draft.reply = .runOptions(optionsWithBuffered)
    }

    /// The event that makes it so; nil when nothing would change.
    func changeOptions(_ request: UpdateRunOptions) -> WorkflowExecutionOptionsUpdated? {
        let before = optionsWithBuffered
        var event = WorkflowExecutionOptionsUpdated(identity: request.identity)
        let priority = request.change.priority.applied(to: before.priority)
        if priority != before.priority { event.priority = priority }
        switch request.change.versioningOverride {
        case .set(let override) where override != before.versioningOverride: event.versioningOverride = override
        case .unset where before.versioningOverride != nil: event.unsetVersioningOverride = true
        case .set, .unset, nil: break
        }
        if !request.attachedRequestID.isEmpty, !isAttached(request.attachedRequestID) {
            event.attachedRequestID = request.attachedRequestID
            event.links = request.links
        }
        let changes =
            event.priority != nil || event.versioningOverride != nil || event.unsetVersioningOverride
            || !event.attachedRequestID.isEmpty
        return changes ? event : nil
    }

    private func isAttached(_ request: RequestID) -> Bool {
        if requests.contains(request) { return true }
        return eventBuffer.entries.contains {
            guard case .optionsUpdated(let event) = $0.fact else { return false }
            return event.attachedRequestID == request
        }
    }

    /// The options once everything that is buffered is recorded.
    private var optionsWithBuffered: RunOptions {
        var options = options
        for entry in eventBuffer.entries {
            if case .optionsUpdated(let event) = entry.fact { options.apply(event) }
        }
        return options
    }

    mutating func fold(_ event: WorkflowExecutionOptionsUpdated, id: EventID) {
        let before = priority
        var options = options
        options.apply(event)
        facts.options = options
        if !event.attachedRequestID.isEmpty {
            requests.remember(event.attachedRequestID)
            facts.attached.append(AttachedRequest(request: event.attachedRequestID, event: id))
            if facts.attached.count > Self.attachedRequestsMax { facts.attached.removeFirst() }
        }
        // What waits in a queue moves to its new place.
        if priorityKey(before) != priorityKey(options.priority) { workflowTask.offerAgain() }
    }
}

extension RunOptions {
    mutating func apply(_ event: WorkflowExecutionOptionsUpdated) {
        if let priority = event.priority { self.priority = priority }
        if let override = event.versioningOverride { versioningOverride = override }
        if event.unsetVersioningOverride { versioningOverride = nil }
    }
}
