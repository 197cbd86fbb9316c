import History

/// The request ids seen lately, so that a repeated request changes nothing.
struct RememberedRequests: Hashable, Sendable {
    /// Enough for every repetition of a client that is still trying.
    static let countMax = 1000

    private(set) var inOrder: [RequestID] = []
    private var known: Set<RequestID> = []

    func contains(_ request: RequestID) -> Bool { !request.isEmpty && known.contains(request) }

    mutating func remember(_ request: RequestID) {
        guard !request.isEmpty, known.insert(request).inserted else { return }
        inOrder.append(request)
        if inOrder.count > Self.countMax * 2 {
            let forgotten = inOrder.count - Self.countMax
            for request in inOrder.prefix(forgotten) { known.remove(request) }
            inOrder.removeFirst(forgotten)
        }
    }

    static func == (left: RememberedRequests, right: RememberedRequests) -> Bool { left.inOrder == right.inOrder }
    func hash(into hasher: inout Hasher) { hasher.combine(inOrder) }
}
