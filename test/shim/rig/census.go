package rig

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
)

// Owns says whether a process has the TCP socket from one address to another, and whether that could be found out at all: a
// socket that is closed already has no owner. Where another process has it, who says which.
func Owns(pid int, from, to *net.TCPAddr) (owns, known bool, who string) {
	inode := inodeOf(from, to)
	if inode == "" {
		return false, false, ""
	}
	if holds(fmt.Sprint(pid), inode) {
		return true, true, ""
	}
	others, err := filepath.Glob("/proc/[0-9]*/fd")
	if err != nil {
		return false, false, ""
	}
	for _, other := range others {
		if p := strings.Split(other, "/")[2]; holds(p, inode) {
			command, _ := os.ReadFile("/proc/" + p + "/cmdline")
			return p == fmt.Sprint(pid), true, fmt.Sprintf("process %s (%s)", p, strings.ReplaceAll(string(command[:min(len(command), 80)]), "\x00", " "))
		}
	}
	// Nobody has it: it was closed between the two looks.
	return false, false, ""
}

// holds says whether a process has a socket open.
func holds(pid, inode string) bool {
	links, err := filepath.Glob("/proc/" + pid + "/fd/*")
	if err != nil {
		return false
	}
	for _, link := range links {
		if target, err := os.Readlink(link); err == nil && target == "socket:["+inode+"]" {
			return true
		}
	}
	return false
}

// inodeOf finds a socket by both of its ends in the kernel's tables: that of IPv4, and that of IPv6, where Java's are. One end is
// not enough: many sockets can have the same address of their own, to different others.
func inodeOf(from, to *net.TCPAddr) string {
	local, remote := inTable(from), inTable(to)
	for table, prefix := range map[string]string{"/proc/net/tcp": "", "/proc/net/tcp6": "0000000000000000FFFF0000"} {
		f, err := os.Open(table)
		if err != nil {
			continue
		}
		lines := bufio.NewScanner(f)
		for lines.Scan() {
			fields := strings.Fields(lines.Text())
			if len(fields) > 9 && fields[1] == prefix+local && fields[2] == prefix+remote && fields[9] != "0" {
				f.Close()
				return fields[9]
			}
		}
		f.Close()
	}
	return ""
}

// inTable is an IPv4 address as the kernel's tables have it.
func inTable(a *net.TCPAddr) string {
	ip := a.IP.To4()
	if ip == nil {
		return "-"
	}
	return fmt.Sprintf("%02X%02X%02X%02X:%04X", ip[3], ip[2], ip[1], ip[0], a.Port)
}
