import Engine
import Synchronization

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#endif

/// The time zones of this machine (`/usr/share/zoneinfo`), read once each.
final class ZoneFiles: Sendable {
    static let zonesMax = 1000
    static let fileBytesMax = 1 << 20
    private let folder: String
    private let known = Mutex<[String: ZoneRules]>([:])

    init(folder: String = "/usr/share/zoneinfo") { self.folder = folder }

    /// - Returns: nil when the machine does not know the zone.
    func zone(named name: String) -> ZoneRules? {
        if name.isEmpty || name == "UTC" || name == "Etc/UTC" { return .utc }
        if let zone = known.withLock({ $0[name] }) { return zone }
        guard Self.isName(name), let bytes = Self.read("\(folder)/\(name)"), let zone = ZoneRules(zoneFile: bytes)
        else { return nil }
        known.withLock { known in
            if known.count >= Self.zonesMax { known = [:] }
            known[name] = zone
        }
        return zone
    }

    /// The zone of a spec: the rules that came with it, or the named one.
    ///
    /// - Throws: ``ScheduleProblem`` when there is no such zone.
    func zone(of spec: ScheduleSpec) throws(ScheduleProblem) -> ZoneRules {
        if !spec.zoneData.isEmpty {
            guard let zone = ZoneRules(zoneFile: spec.zoneData) else {
                throw ScheduleProblem("timezone_data is not a zone file")
            }
            return zone
        }
        guard let zone = zone(named: spec.zoneName) else {
            throw ScheduleProblem("unknown time zone \(spec.zoneName)")
        }
        return zone
    }

    /// Words of letters, digits and `+-_` between slashes: nothing that leads out of the folder.
    private static func isName(_ name: String) -> Bool {
        name.utf8.count <= 100
            && name.split(separator: "/", omittingEmptySubsequences: false).allSatisfy { word in
                !word.isEmpty
                    && word.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "+-_".contains($0)) }
            }
    }

    private static func read(_ path: String) -> [UInt8]? {
        let file = open(path, O_RDONLY)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 8192)
        while bytes.count <= fileBytesMax {
            let count = buffer.withUnsafeMutableBytes { readFile(file, $0.baseAddress, $0.count) }
            guard count >= 0 else { return nil }
            if count == 0 { return bytes }
            bytes += buffer[..<count]
        }
        return nil
    }
}

/// The system call, which a method named `read` would hide.
private func readFile(_ file: Int32, _ buffer: UnsafeMutableRawPointer?, _ count: Int) -> Int {
    read(file, buffer, count)
}
