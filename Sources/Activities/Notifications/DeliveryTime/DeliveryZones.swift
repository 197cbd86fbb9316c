public import Engine
import Foundation
import Synchronization

/// The time zones of this machine, read once each.
public final class DeliveryZones: Sendable {
    private static let zonesMax = 1000
    private let folder: String
    private let known = Mutex<[String: ZoneRules]>([:])

    public init(folder: String = "/usr/share/zoneinfo") { self.folder = folder }

    /// - Returns: nil when the machine does not know the zone.
    public func zone(named name: String) -> ZoneRules? {
        if name == "UTC" || name == "Etc/UTC" { return .utc }
        if let zone = self.known.withLock({ $0[name] }) { return zone }
        guard Self.isName(name), let data = FileManager.default.contents(atPath: "\(self.folder)/\(name)"),
            let zone = ZoneRules(zoneFile: [UInt8](data))
        else { return nil }
        self.known.withLock { known in
            if known.count >= Self.zonesMax { known = [:] }
            known[name] = zone
        }
        return zone
    }

    /// The first of the names that is known: the recipient's, then the tenant's; UTC when none is.
    func zone(firstOf names: [String]) -> ZoneRules {
        for name in names {
            if let zone = self.zone(named: name) { return zone }
        }
        return .utc
    }

    /// Words of letters, digits and `+-_` between slashes: nothing that leads out of the folder.
    private static func isName(_ name: String) -> Bool {
        !name.isEmpty && name.utf8.count <= 100
            && name.split(separator: "/", omittingEmptySubsequences: false).allSatisfy { word in
                !word.isEmpty
                    && word.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "+-_".contains($0)) }
            }
    }
}
