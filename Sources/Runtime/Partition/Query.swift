import History

/// What the waiter for a query is told.
enum QueryOutcome: Sendable {
    case answered(QueryAnswer)
    /// The way it was asked is gone (the run left memory, closed, or has no next workflow task): ask another way.
    case lost
    case failed(Rejection)
}

/// A query that goes with a workflow task.
struct BufferedQuery {
    var id: String
    var request: QueryRequest
    var ticket: ParkingLot<QueryOutcome>.Ticket
    var isDelivered = false
}

/// A query that goes to a worker by itself.
struct DirectQuery {
    var key: RunKey
    var request: QueryRequest
    var ticket: ParkingLot<QueryOutcome>.Ticket
}
