public import History

/// How far one sender's messages have come.
public struct Delivery: Hashable, Sendable {
    public var sender: RunID
    public var number: Int64

    public init(sender: RunID, number: Int64) {
        self.sender = sender
        self.number = number
    }
}

/// Which messages of other runs were taken, by this run and by those of its workflow id before it.
///
/// A sender's messages to one receiver come one after the other, in the order of their numbers: the last number says it all.
struct Deliveries: Hashable, Sendable {
    /// More senders than can have a message under way to one receiver.
    static let sendersMax = 1000

    /// The senders, the one heard of last at the end.
    private(set) var inOrder: [Delivery] = []

    var isEmpty: Bool { inOrder.isEmpty }

    func contains(_ message: MessageID) -> Bool {
        inOrder.contains { $0.sender == message.sender.run && $0.number >= message.number }
    }

    mutating func remember(_ delivery: Delivery) {
        inOrder.removeAll { $0.sender == delivery.sender }
        inOrder.append(delivery)
        if inOrder.count > Self.sendersMax { inOrder.removeFirst(inOrder.count - Self.sendersMax) }
    }
}

extension RunMessage.Body {
    /// Would the receiver's state alone not show that it was taken before?
    var mustBeRemembered: Bool {
        switch self {
        case .signal, .requestCancel, .closeChild(.requestCancel): true
        case .startChild, .releaseChild, .closeChild(.terminate), .closeChild(.abandon), .childClosed: false
        }
    }
}

extension Deliveries {
    mutating func code(_ coder: inout SnapshotCoder) throws(Corruption) {
        var all = inOrder
        try coder.code(&all, Delivery(sender: "", number: 0)) { coder, delivery throws(Corruption) in
            try coder.code(&delivery.sender)
            try coder.code(&delivery.number)
        }
        if coder.isReading { inOrder = all }
    }
}
