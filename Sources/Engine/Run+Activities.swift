import History

extension Run {
    static let staleActivity = Rejection.notFound(
        "invalid activityID or activity already timed out or invoking workflow is completed")

    func offer(_ activity: PendingActivity) -> Effect {
        .offerActivityTask(
            ActivityTaskOffer(
                queue: activity.scheduled.taskQueue.name, scheduledEventID: activity.scheduledEventID,
                attempt: activity.attempt, stamp: activity.stamp, priority: priorityKey(activity.scheduled.priority)))
    }

    func handedOut(_ activity: PendingActivity, _ start: PendingActivity.Start) -> StartedActivity {
        StartedActivity(
            token: ActivityTaskToken(
                run: key, scheduledEventID: activity.scheduledEventID, activityID: activity.scheduled.activityID,
                attempt: activity.attempt, stamp: activity.stamp),
            scheduled: activity.scheduled, scheduledTime: activity.scheduledTime,
            currentAttemptScheduledTime: activity.dueTime, startedTime: start.time,
            heartbeatDetails: activity.heartbeatDetails, workflowType: started?.workflowType ?? "")
    }

    /// A poller takes an attempt. No event: starts are recorded right before ends; but it is stored.
    mutating func startActivity(_ request: StartActivity, _ draft: inout Draft) throws(Rejection) {
        guard isOpen, let activity = activities.table[request.scheduledEventID], !activity.endIsBuffered,
            activity.attempt == request.attempt, activity.stamp == request.stamp, activity.isOffered
        else { throw .notFound("Activity task not found.") }
        if let start = activity.start {
            guard start.requestID == request.requestID else { throw .notFound("Activity task not found.") }
            draft.reply = .activity(handedOut(activity, start))
            return
        }
        let start = PendingActivity.Start(time: draft.now, identity: request.identity, requestID: request.requestID)
        activities.table.update(request.scheduledEventID) { $0.begin(start) }
        draft.changedState = true
        draft.reply = .activity(handedOut(activity, start))
    }

    /// The activity an answer is for; an answer of an attempt that is over is refused.
    private func activity(
        for reference: ActivityReference, mustBeStarted: Bool = true
    ) throws(Rejection) -> PendingActivity {
        guard isOpen else { throw Self.staleActivity }
        let found: PendingActivity?
        switch reference {
        case .token(let token):
            guard token.run == key, let activity = activities.table[token.scheduledEventID], activity.isStarted,
                activity.attempt == token.attempt, activity.stamp == token.stamp
            else { throw Self.staleActivity }
            found = activity
        case .id(let activityID):
            guard let activity = activities.pending(activityID) else {
                throw .notFound("Can't find pending activity with such ID: \(activityID)")
            }
            found = activity
        }
        guard let found, !found.endIsBuffered, found.isStarted || !mustBeStarted else { throw Self.staleActivity }
        return found
    }

    mutating func completeActivity(_ request: CompleteActivity, _ draft: inout Draft) throws(Rejection) {
        // By its id an activity can be completed before any worker took it.
        let activity = try activity(for: request.activity, mustBeStarted: false)
        if let size = request.result?.count, size > draft.limits.blobBytesMax {
            end(activity, oversize: "Complete result exceeds size limit.", identity: request.identity, &draft)
            return
        }
        recordStart(of: activity, by: request.identity, &draft)
        record(
            .activityCompleted(
                ActivityTaskCompleted(
                    result: request.result, scheduledEventID: activity.scheduledEventID, startedEventID: .none,
                    identity: request.identity)), &draft)
    }

    mutating func failActivity(_ request: FailActivity, _ draft: inout Draft) throws(Rejection) {
        var activity = try activity(for: request.activity)
        if let details = request.lastHeartbeatDetails {
            activities.table.update(activity.scheduledEventID) { $0.heartbeatDetails = details }
            activity.heartbeatDetails = details
        }
        endAttempt(of: activity, failure: request.failure, identity: request.identity, &draft)
    }

    mutating func cancelActivity(_ request: CancelActivity, _ draft: inout Draft) throws(Rejection) {
        let activity = try activity(for: request.activity)
        guard activity.isCancelRequested else {
            throw .invalid("unable to mark activity as canceled without activity being request canceled first")
        }
        recordStart(of: activity, by: request.identity, &draft)
        record(
            .activityCanceled(
                ActivityTaskCanceled(
                    details: request.details, latestCancelRequestedEventID: activity.cancelRequestedEventID,
                    scheduledEventID: activity.scheduledEventID, identity: request.identity)), &draft)
    }

    mutating func heartbeatActivity(_ request: HeartbeatActivity, _ draft: inout Draft) throws(Rejection) {
        let activity = try activity(for: request.activity)
        if let size = request.details?.count, size > draft.limits.blobBytesMax {
            end(activity, oversize: "Heartbeat details exceed size limit.", identity: request.identity, &draft)
            draft.reply = .heartbeat(cancelRequested: true, paused: false, reset: false)
            return
        }
        activities.table.update(activity.scheduledEventID) { pending in
            pending.lastHeartbeatTime = draft.now
            pending.heartbeatDetails = request.details
            if !request.identity.isEmpty { pending.lastWorkerIdentity = request.identity }
        }
        draft.changedState = true
        draft.reply = .heartbeat(
            cancelRequested: activity.isCancelRequested, paused: activity.pause != nil, reset: activity.isReset)
    }

    /// The journal's row for an attempt that ends now and is tried again; the last attempt has events instead.
    private func attempt(
        of activity: PendingActivity, outcome: ActivityAttempt.Outcome, failure: Failure, at now: Timestamp,
        retryAt: Timestamp
    ) -> ActivityAttempt {
        ActivityAttempt(
            scheduledEventID: activity.scheduledEventID, activityID: activity.scheduled.activityID,
            attempt: activity.attempt,
            scheduledAt: activity.dueTime, startedAt: activity.start?.time, endedAt: now,
            identity: activity.start?.identity ?? "", outcome: outcome, failure: failure, retryAt: retryAt)
    }

    /// The start that stands right before the end, with the time at which the last attempt really began.
    private mutating func recordStart(of activity: PendingActivity, by identity: String, _ draft: inout Draft) {
        let start =
            activity.start ?? PendingActivity.Start(time: draft.now, identity: identity, requestID: "")
        let attributes = ActivityTaskStarted(
            scheduledEventID: activity.scheduledEventID, identity: start.identity, requestID: start.requestID,
            attempt: activity.attempt, lastFailure: activity.lastFailure)
        record(.activityStarted(attributes), &draft, at: start.time)
    }

    private mutating func end(
        _ activity: PendingActivity, oversize message: String, identity: String, _ draft: inout Draft
    ) {
        endAttempt(of: activity, failure: .server(message: message, nonRetryable: true), identity: identity, &draft)
    }

    /// An attempt failed: again later, or the end of the activity.
    private mutating func endAttempt(
        of activity: PendingActivity, failure: Failure, identity: String, _ draft: inout Draft
    ) {
        let decision: RetryDecision =
            activity.isCancelRequested
            ? .stop(.cancelRequested)
            : .decide(
                activity.scheduled.retryPolicy, attempt: activity.countedAttempt, failure: failure.traits,
                at: draft.now,
                expiration: activity.expiration, capsRequestedDelay: false)
        switch decision {
        case .retry(let delay): retry(activity, after: delay, failure, outcome: .failed, &draft)
        case .stop(let state):
            recordStart(of: activity, by: identity, &draft)
            record(
                .activityFailed(
                    ActivityTaskFailed(
                        failure: failure, scheduledEventID: activity.scheduledEventID, startedEventID: .none,
                        identity: identity, retryState: state)), &draft)
        }
    }

    private mutating func retry(
        _ activity: PendingActivity, after delay: TimeSpan, _ failure: Failure, outcome: ActivityAttempt.Outcome,
        _ draft: inout Draft
    ) {
        let dueTime = draft.now.advanced(by: delay)
        let key = activity.scheduledEventID
        draft.attempts.append(
            attempt(of: activity, outcome: outcome, failure: failure, at: draft.now, retryAt: dueTime))
        activities.table.update(key) { $0.tryAgain(at: dueTime, after: failure, now: draft.now) }
        if let again = activities.table[key], again.isOffered { draft.effects.append(offer(again)) }
    }

    /// The moment of an activity's alarm has come.
    mutating func activityAlarm(_ key: EventID, _ draft: inout Draft) {
        guard let activity = activities.table[key], let alarm = activity.alarm, alarm.at <= draft.now else { return }
        switch alarm.what {
        case .offer:
            activities.table.update(key) { $0.isOffered = true }
            draft.effects.append(offer(activity))
        case .timeout(let type): timeOut(activity, type, &draft)
        }
    }

    private mutating func timeOut(_ activity: PendingActivity, _ type: TimeoutType, _ draft: inout Draft) {
        var (message, finalType, state) = (type.activityMessage, type, RetryState.timeout)
        if type == .startToClose || type == .heartbeat {
            let failure = Failure.timeout(message: message, type: type, lastHeartbeatDetails: nil, cause: nil)
            let decision: RetryDecision =
                activity.isCancelRequested
                ? .stop(.cancelRequested)
                : .decide(
                    activity.scheduled.retryPolicy, attempt: activity.countedAttempt, failure: failure.traits,
                    at: draft.now,
                    expiration: activity.expiration, capsRequestedDelay: false)
            switch decision {
            case .retry(let delay):
                retry(activity, after: delay, failure, outcome: .timedOut, &draft)
                return
            case .stop(.timeout):
                message =
                    "Not enough time to schedule next retry before activity ScheduleToClose timeout, giving up retrying"
                finalType = .scheduleToClose
            case .stop(let reason): state = reason
            }
        }
        // Only the last failure names the one before it: a chain of causes would grow with every attempt.
        let failure = Failure.timeout(
            message: message, type: finalType, lastHeartbeatDetails: activity.heartbeatDetails,
            cause: activity.lastFailure)
        if activity.isStarted { recordStart(of: activity, by: "", &draft) }
        record(
            .activityTimedOut(
                ActivityTaskTimedOut(failure: failure, scheduledEventID: activity.scheduledEventID, retryState: state)),
            &draft)
    }
}

extension TimeoutType {
    /// The exact words that SDKs and users see.
    var activityMessage: String {
        switch self {
        case .startToClose: "activity StartToClose timeout"
        case .scheduleToStart: "activity ScheduleToStart timeout"
        case .scheduleToClose: "activity ScheduleToClose timeout"
        case .heartbeat: "activity Heartbeat timeout"
        }
    }
}
