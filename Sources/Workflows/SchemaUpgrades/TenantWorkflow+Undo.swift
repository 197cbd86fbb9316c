import Activities
import Worker

/// The way back of one tenant: route, migrations newest first, lease; out of reach of cancellation.
extension TenantWorkflow {
    /// A down script that fails so often needs a person.
    private static let downTries = 2

    func compensate(_ error: any Error, _ began: TenantStep) async throws -> TenantOutcome {
        let reason = Self.text(of: error)
        // Without a lease nothing was done.
        guard let step else { return try await self.finish(began, .failed, error: reason) }
        self.progress.status = .compensating
        var isStuck = false
        while true {
            do {
                let hadEffects = !self.undo.isEmpty || self.mayBeRouted
                try await self.undoAll(step)
                let outcome = try await self.finish(step, hadEffects ? .rolledBack : .failed, error: reason)
                if isStuck { await self.tellFleet(outcome) }
                return outcome
            } catch let failure as StepFailure {
                let both = "\(reason); undoing it failed: \(failure.message)"
                isStuck = true
                switch try await self.askOperator(step, both) {
                case .retry: continue
                case .restore: if let outcome = try await self.restore(step, reason) { return outcome }
                case .accept:
                    let outcome = try await self.finish(step, .failed, error: "accepted by an operator: \(both)")
                    await self.tellFleet(outcome)
                    return outcome
                }
            }
        }
    }

    private static func text(of error: any Error) -> String {
        switch error {
        case let failure as StepFailure: return "\(failure.code): \(failure.message)"
        case is CanceledFailure: return "Canceled"
        default: return "\(error)"
        }
    }

    private func undoAll(_ step: TenantStep) async throws {
        if self.mayBeRouted {
            let _: Done = try await self.call(.switchRouteBack, step, holds: false)
            self.mayBeRouted = false
        }
        if self.mayHaveVersion {
            let _: Done = try await self.call(.dropVersion, step, holds: false)
            self.mayHaveVersion = false
        }
        while let migration = self.undo.last {
            try await self.runDown(step.at(migration.version))
            self.undo.removeLast()
        }
    }

    private func runDown(_ step: TenantStep) async throws {
        for attempt in 1...Self.downTries {
            do {
                let _: Done = try await self.call(.runDown, step, holds: false)
                return
            } catch let failure as StepFailure {
                guard attempt < Self.downTries else { throw failure }
            }
        }
    }

    private func restore(_ step: TenantStep, _ reason: String) async throws -> TenantOutcome? {
        do {
            let _: Done = try await self.call(.restoreBackup, step, holds: false)
        } catch is StepFailure {
            return nil
        }
        self.undo = []
        let outcome = try await self.finish(step, .rolledBack, error: "\(reason); the backup was restored")
        await self.tellFleet(outcome)
        return outcome
    }

    /// The tenant stays on a version with a name until somebody says what to do; the fleet goes on without it.
    private func askOperator(_ step: TenantStep, _ error: String) async throws -> TenantResolution.Action {
        guard let context else { throw CanceledFailure() }
        let waiting = try await self.finish(step, .needsOperator, error: error)
        await self.tellFleet(waiting)
        self.resolution = nil
        self.waitsForOperator = true
        self.progress.status = .waiting
        self.progress.waitingFor = OperationProgress.Wait(kind: .approval, name: "operator", until: nil)
        try await context.waitCondition { self.resolution != nil }
        self.waitsForOperator = false
        self.progress.waitingFor = nil
        self.progress.status = .compensating
        return self.resolution?.action ?? .retry
    }

    private func tellFleet(_ outcome: TenantOutcome) async {
        guard let context, let parent = context.info.parent else { return }
        do {
            try await context.externalWorkflow(parent.workflowID).signal("tenant_stands", outcome)
        } catch {
            return  // the fleet has ended; the table tells the rest
        }
    }
}
