import Engine
import History

/// What somebody who waits for an update is told.
enum UpdateNews: Sendable {
    case moved(UpdateStanding)
    /// The run left memory, and with it what was not recorded: ask again.
    case lost
}

/// Somebody who waits for an update to reach a stage.
struct UpdateWaiter {
    var update: UpdateID
    var stage: UpdateStage
    var ticket: ParkingLot<UpdateNews>.Ticket
}

/// A caller between asking for an update and its answer.
struct UpdateWait {
    let hot: HotRun
    let update: UpdateID
    let stage: UpdateStage
    /// Where the update stood when it was asked for.
    let standing: UpdateStanding
    /// nil when it has come far enough already.
    let ticket: ParkingLot<UpdateNews>.Ticket?
}

extension UpdateStanding {
    /// Has it come as far as the caller wants?
    func reaches(_ stage: UpdateStage) -> Bool {
        switch self {
        case .admitted: stage == .admitted
        case .accepted: stage <= .accepted
        case .completed, .aborted: true
        }
    }
}
