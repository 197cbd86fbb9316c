import Foundation
import Logging
import SwiftProtobuf
import TemporalAPI

/// The running part of a worker: polls, hands out slots, lets tasks run, answers the server.
struct WorkerShell: Sendable {
    /// Something to run that already has its slot.
    enum Work: Sendable {
        case workflow(Temporal_Api_Workflowservice_V1_PollWorkflowTaskQueueResponse)
        case activity(Temporal_Api_Workflowservice_V1_PollActivityTaskQueueResponse)
        case localActivity(LocalActivityTask)
    }

    let service: WorkflowService
    let taskQueue: String
    let options: WorkerOptions
    /// Nil in a worker without workflows.
    let processor: (any WorkflowTaskProcessing)?
    /// Nil in a worker without activities.
    let runner: ActivityRunner?
    let life: WorkerLife
    let workflowSlots: any SlotSupplier
    let activitySlots: any SlotSupplier
    let localActivities: LocalActivityRunner
    let meter = WorkerMeter()
    let started = Date()
    let balance: PollBalance
    /// Names this worker to the server, so that it can end its polls.
    let instanceKey: String
    let stickyQueue: String
    let clock: any Clock<Duration>
    private let work: AsyncStream<Work>
    let handOn: AsyncStream<Work>.Continuation

    init(
        service: WorkflowService, taskQueue: String, options: WorkerOptions, processor: (any WorkflowTaskProcessing)?,
        runner: ActivityRunner?, executor: ActivityExecutor, life: WorkerLife,
        clock: any Clock<Duration> = ContinuousClock()
    ) {
        self.service = service
        self.taskQueue = taskQueue
        self.options = options
        self.processor = processor
        self.runner = runner
        self.life = life
        self.clock = clock
        workflowSlots = options.slots.workflow ?? FixedSlots(options.workflowTasksMax)
        activitySlots = options.slots.activity ?? FixedSlots(options.activitiesMax)
        localActivities = LocalActivityRunner(
            executor: executor, slots: options.slots.localActivity ?? FixedSlots(options.localActivitiesMax),
            life: life, clock: clock)
        balance = PollBalance(
            polls: max(1, min(options.workflowPollsMax, options.workflowTasksMax)), keepsRuns: options.cachedRunsMax > 0
        )
        instanceKey = UUID().uuidString.lowercased()
        stickyQueue = "\(service.identity)-\(UUID().uuidString.lowercased().filter { $0 != "-" })"
        (work, handOn) = AsyncStream.makeStream()
    }

    /// Runs until the shutdown, and then until everything in hand is answered.
    ///
    /// - Parameter endsPolls: Whether the server ends the polls of a worker that says goodbye.
    func run(endsPolls: Bool, sendsHeartbeats: Bool = false) async {
        enum Ending { case finished, graceOver, silent }
        let (goodbye, sayGoodbye) = AsyncStream<Void>.makeStream()
        await withTaskGroup(of: Ending.self) { group in
            group.addTask {
                await execute(endsPolls: endsPolls, goodbye: sayGoodbye)
                return .finished
            }
            group.addTask {
                for await _ in goodbye {}
                try? await clock.sleep(for: options.gracePeriod)
                return .graceOver
            }
            if sendsHeartbeats {
                group.addTask {
                    await sendHeartbeats()
                    return .silent
                }
            }
            for await ending in group {
                switch ending {
                case .finished: group.cancelAll()
                case .graceOver: life.stopAttempts()
                case .silent: continue
                }
            }
        }
    }

    /// Everything that is in hand runs in this group, beside the pollers; it ends when all of it has ended.
    private func execute(endsPolls: Bool, goodbye: AsyncStream<Void>.Continuation) async {
        await withDiscardingTaskGroup { group in
            group.addTask {
                await pollUntilShutdown(endsPolls: endsPolls, goodbye: goodbye)
                handOn.finish()
            }
            for await item in work { group.addTask { await run(item) } }
        }
    }

    func run(_ item: Work) async {
        switch item {
        case .workflow(let task):
            meter.began(.workflow)
            await runWorkflowTasks(task)
            meter.ended(.workflow)
            workflowSlots.release(workflowSlot)
            options.taskEnded?()
        case .activity(let task):
            meter.began(.activity)
            await runActivity(task)
            meter.ended(.activity)
            activitySlots.release(activitySlot)
            options.taskEnded?()
        case .localActivity(let task):
            meter.began(.localActivity)
            await localActivities.run(task)
            meter.ended(.localActivity)
        }
    }

    var workflowSlot: SlotRequest { SlotRequest(kind: .workflow, taskQueue: taskQueue) }
    var activitySlot: SlotRequest { SlotRequest(kind: .activity, taskQueue: taskQueue) }

    /// Hands a task to the group, or runs it here when the group takes no more.
    func start(_ item: Work) async {
        switch handOn.yield(item) {
        case .terminated: await run(item)
        case .enqueued, .dropped: return
        @unknown default: return
        }
    }

    private func runActivity(_ task: Temporal_Api_Workflowservice_V1_PollActivityTaskQueueResponse) async {
        guard let runner else { return }
        let control = ActivityControl()
        let id = life.add(control)
        await runner.run(task, control: control)
        life.remove(id)
    }
}

// MARK: - Polling

extension WorkerShell {
    private func pollUntilShutdown(endsPolls: Bool, goodbye: AsyncStream<Void>.Continuation) async {
        enum Ending { case poller, saidGoodbye, drained }
        var pollers: [Poller] = []
        if processor != nil {
            pollers += (0..<balance.polls).map { _ in poller(workflowSlots, workflowSlot, nil, pollWorkflowTask) }
        }
        if runner != nil {
            let limiter = RateLimiter(perSecond: options.activitiesPerSecond, clock: clock)
            pollers += (0..<max(1, options.activityPollsMax)).map { _ in
                poller(activitySlots, activitySlot, limiter, pollActivityTask)
            }
        }
        await withTaskGroup(of: Ending.self) { group in
            for poller in pollers {
                group.addTask {
                    await poller.run()
                    return .poller
                }
            }
            group.addTask {
                await life.waitForShutdown()
                goodbye.finish()
                await tellShutdown()
                return .saidGoodbye
            }
            var open = pollers.count
            for await ending in group {
                switch ending {
                case .poller:
                    open -= 1
                    if open == 0, life.isShuttingDown { group.cancelAll() }
                case .saidGoodbye:
                    // Polls the server does not end are broken off; a task that was on its way comes again.
                    guard endsPolls, open > 0 else {
                        group.cancelAll()
                        continue
                    }
                    group.addTask {
                        try? await clock.sleep(for: WorkerOptions.pollDrainMax)
                        return .drained
                    }
                case .drained: group.cancelAll()
                }
            }
        }
        goodbye.finish()
    }

    private func poller(
        _ slots: any SlotSupplier, _ request: SlotRequest, _ limiter: RateLimiter?,
        _ poll: @escaping @Sendable () async throws(RPCFailure) -> Poller.Outcome
    ) -> Poller {
        Poller(
            slots: slots, life: life, logger: options.logger, clock: clock, request: request, limiter: limiter,
            poll: poll)
    }

    private func pollWorkflowTask() async throws(RPCFailure) -> Poller.Outcome {
        let queue = balance.next(cachedRuns: processor?.cachedRuns ?? 0)
        defer { balance.close(queue) }
        var request = Temporal_Api_Workflowservice_V1_PollWorkflowTaskQueueRequest()
        request.namespace = service.namespace
        request.identity = service.identity
        request.workerInstanceKey = instanceKey
        if !options.buildID.isEmpty { request.workerVersionCapabilities.buildID = options.buildID }
        if let deployment = options.deployment { request.deploymentOptions = deployment.message }
        switch queue {
        case .normal:
            request.taskQueue.name = taskQueue
            request.taskQueue.kind = .normal
        case .sticky:
            request.taskQueue.name = stickyQueue
            request.taskQueue.kind = .sticky
            request.taskQueue.normalName = taskQueue
        }
        let task: Temporal_Api_Workflowservice_V1_PollWorkflowTaskQueueResponse = try await service.call(
            "PollWorkflowTaskQueue", request, deadline: WorkflowService.longPollDeadline, retry: .never)
        guard !task.taskToken.isEmpty else { return .empty }
        await start(.workflow(task))
        return .task
    }

    private func pollActivityTask() async throws(RPCFailure) -> Poller.Outcome {
        var request = Temporal_Api_Workflowservice_V1_PollActivityTaskQueueRequest()
        request.namespace = service.namespace
        request.identity = service.identity
        request.workerInstanceKey = instanceKey
        if !options.buildID.isEmpty { request.workerVersionCapabilities.buildID = options.buildID }
        if let deployment = options.deployment { request.deploymentOptions = deployment.message }
        if let limit = options.taskQueueActivitiesPerSecond {
            request.taskQueueMetadata.maxTasksPerSecond = Google_Protobuf_DoubleValue(limit)
        }
        request.taskQueue.name = taskQueue
        request.taskQueue.kind = .normal
        let task: Temporal_Api_Workflowservice_V1_PollActivityTaskQueueResponse = try await service.call(
            "PollActivityTaskQueue", request, deadline: WorkflowService.longPollDeadline, retry: .never)
        guard !task.taskToken.isEmpty else { return .empty }
        await start(.activity(task))
        return .task
    }

    /// Says goodbye once; a server that does not know the call does not mind.
    private func tellShutdown() async {
        var request = Temporal_Api_Workflowservice_V1_ShutdownWorkerRequest()
        request.namespace = service.namespace
        request.identity = service.identity
        request.reason = "graceful shutdown"
        request.workerInstanceKey = instanceKey
        request.workerHeartbeat = Data(status(.shuttingDown, since: nil))
        request.taskQueue = taskQueue
        if processor != nil {
            if balance.usesSticky { request.stickyTaskQueue = stickyQueue }
            request.taskQueueTypes.append(.workflow)
        }
        if runner != nil { request.taskQueueTypes.append(.activity) }
        do {
            let _: Temporal_Api_Workflowservice_V1_ShutdownWorkerResponse = try await service.call(
                "ShutdownWorker", request, deadline: WorkerOptions.pollDrainMax, retry: .never)
        } catch {
            if error.code != .unimplemented && error.code != .unavailable {
                options.logger.warning("server did not take the shutdown", metadata: ["error": "\(error)"])
            }
        }
    }
}
