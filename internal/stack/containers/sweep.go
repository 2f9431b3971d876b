package containers

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/moby/moby/client"
	"github.com/shirou/gopsutil/v4/process"
)

// What we start carries the process and boot that made it, because a killed
// process cannot clean up after itself and not every machine has the reaper.
const (
	labelPID  = "vitals.pid"
	labelBoot = "vitals.boot"
	labelBox  = "vitals.box" // of one container alone
	ownImages = "vitals/api" // their tags end in -BOOT-PID-NETWORK: a label would change the digest
)

// sweep removes what an earlier process on this boot left behind when it was
// killed. It touches nothing of a process that still lives, or of another host.
func sweep(ctx context.Context, engine *client.Client) error {
	mine := client.Filters{}.Add("label", labelBoot+"="+boot())
	boxes, err := engine.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: mine})
	if err != nil {
		return fmt.Errorf("look for containers left behind: %w", err)
	}
	for _, c := range boxes.Items {
		if !alive(c.Labels[labelPID]) {
			if _, err := engine.ContainerRemove(ctx, c.ID, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true}); err != nil {
				return fmt.Errorf("remove a container left behind: %w", err)
			}
		}
	}
	nets, err := engine.NetworkList(ctx, client.NetworkListOptions{Filters: mine})
	if err != nil {
		return fmt.Errorf("look for networks left behind: %w", err)
	}
	for _, n := range nets.Items {
		if !alive(n.Labels[labelPID]) {
			if _, err := engine.NetworkRemove(ctx, n.ID, client.NetworkRemoveOptions{}); err != nil {
				return fmt.Errorf("remove a network left behind: %w", err)
			}
		}
	}
	images, err := engine.ImageList(ctx, client.ImageListOptions{Filters: client.Filters{}.Add("reference", ownImages)})
	if err != nil {
		return fmt.Errorf("look for images left behind: %w", err)
	}
	for _, i := range images.Items {
		for _, tag := range i.RepoTags {
			part := strings.Split(tag, "-")
			if len(part) != 4 || part[1] != fmt.Sprintf("%.8s", boot()) || alive(part[2]) {
				continue
			}
			_, _ = engine.ImageRemove(ctx, tag, client.ImageRemoveOptions{}) // another start may have been first, and a name costs nothing
		}
	}
	return nil
}

// interruptedFor is how long the engine may take to make a container that nobody waits
// for any more.
const interruptedFor = 2 * time.Second

// removeMade removes the container of that mark, which the engine may be about to make.
func removeMade(engine *client.Client, mark string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	for began := time.Now(); time.Since(began) < interruptedFor; time.Sleep(200 * time.Millisecond) {
		boxes, err := engine.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: client.Filters{}.Add("label", labelBox+"="+mark)})
		if err != nil {
			return fmt.Errorf("look for a container whose making was interrupted: %w", err)
		}
		for _, c := range boxes.Items {
			if _, err := engine.ContainerRemove(ctx, c.ID, client.ContainerRemoveOptions{Force: true, RemoveVolumes: true}); err != nil {
				return fmt.Errorf("remove a container whose making was interrupted: %w", err)
			}
			return nil
		}
	}
	return nil
}

func alive(pid string) bool {
	n, err := strconv.ParseInt(pid, 10, 32)
	if err != nil {
		return false
	}
	there, err := process.PidExists(int32(n))
	return there || err != nil // in doubt it lives
}

// boot names this boot of this machine; process ids mean something only in it.
func boot() string {
	b, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		host, _ := os.Hostname()
		return host
	}
	return strings.TrimSpace(string(b))
}
