package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/util/workqueue"
)

// On a pod, or the template it comes from: "false" makes it run without ever being ready, until that is changed.
const annotationReady = "testbed/ready"

// What `fakekubelet` is: scheduler and kubelet of one node that runs nothing. Each pod is bound to it at once, is reported
// running and ready with an address of its own that leads nowhere, and goes at once when it is deleted.
type fakeKubelet struct {
	client kubernetes.Interface
	node   string
	pods   cache.SharedIndexInformer
	queue  workqueue.TypedRateLimitingInterface[string]
	// The next address. Never used twice: a run has fewer pods than the range has addresses.
	addresses chan string
}

func newFakeKubeletCommand() *cobra.Command {
	var kubeconfig string
	k := &fakeKubelet{addresses: make(chan string)}
	command := &cobra.Command{
		Use: "fakekubelet",
		RunE: func(command *cobra.Command, _ []string) error {
			config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
			if err != nil {
				return err
			}
			config.QPS, config.Burst = 1000, 2000
			if k.client, err = kubernetes.NewForConfig(config); err != nil {
				return err
			}
			return k.run(command.Context())
		},
	}
	command.Flags().StringVar(&kubeconfig, "kubeconfig", "", "kubeconfig file")
	command.Flags().StringVar(&k.node, "node", "node", "name of the node")
	command.SetContext(context.Background())
	return command
}

func (k *fakeKubelet) run(ctx context.Context) error {
	if err := k.registerNode(ctx); err != nil {
		return err
	}
	go func() {
		for next := uint32(198)<<24 | uint32(18)<<16 | 1; ; next++ {
			k.addresses <- net.IPv4(byte(next>>24), byte(next>>16), byte(next>>8), byte(next)).String()
		}
	}()
	k.queue = workqueue.NewTypedRateLimitingQueue(
		workqueue.NewTypedItemExponentialFailureRateLimiter[string](20*time.Millisecond, 2*time.Second))
	factory := informers.NewSharedInformerFactory(k.client, 0)
	k.pods = factory.Core().V1().Pods().Informer()
	add := func(object any) {
		if key, err := cache.DeletionHandlingMetaNamespaceKeyFunc(object); err == nil {
			k.queue.Add(key)
		}
	}
	_, _ = k.pods.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc: add, UpdateFunc: func(_, now any) { add(now) }, DeleteFunc: add,
	})
	factory.Start(ctx.Done())
	factory.WaitForCacheSync(ctx.Done())
	for range 4 {
		go k.work(ctx)
	}
	<-ctx.Done()
	return nil
}

func (k *fakeKubelet) work(ctx context.Context) {
	for {
		key, quit := k.queue.Get()
		if quit {
			return
		}
		if err := k.sync(ctx, key); err != nil {
			fmt.Fprintln(os.Stderr, key, err)
			k.queue.AddRateLimited(key)
		} else {
			k.queue.Forget(key)
		}
		k.queue.Done(key)
	}
}

func (k *fakeKubelet) registerNode(ctx context.Context) error {
	room := corev1.ResourceList{
		corev1.ResourceCPU:    resource.MustParse("100000"),
		corev1.ResourceMemory: resource.MustParse("400Ti"),
		corev1.ResourcePods:   resource.MustParse("100000"),
	}
	nodes := k.client.CoreV1().Nodes()
	node, err := nodes.Create(ctx, &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: k.node}}, metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		node, err = nodes.Get(ctx, k.node, metav1.GetOptions{})
	}
	if err != nil {
		return err
	}
	now := metav1.Now()
	node.Status.Capacity, node.Status.Allocatable = room, room
	node.Status.Conditions = []corev1.NodeCondition{{
		Type: corev1.NodeReady, Status: corev1.ConditionTrue, Reason: "Testbed", LastHeartbeatTime: now, LastTransitionTime: now}}
	_, err = nodes.UpdateStatus(ctx, node, metav1.UpdateOptions{})
	return err
}

func (k *fakeKubelet) sync(ctx context.Context, key string) error {
	object, exists, err := k.pods.GetStore().GetByKey(key)
	if err != nil || !exists {
		return err
	}
	pod := object.(*corev1.Pod)
	pods := k.client.CoreV1().Pods(pod.Namespace)
	if pod.DeletionTimestamp != nil {
		now := int64(0)
		return ignoreGone(pods.Delete(ctx, pod.Name, metav1.DeleteOptions{
			GracePeriodSeconds: &now, Preconditions: metav1.NewUIDPreconditions(string(pod.UID))}))
	}
	if pod.Spec.NodeName == "" {
		return ignoreGone(pods.Bind(ctx, &corev1.Binding{
			ObjectMeta: metav1.ObjectMeta{Name: pod.Name, Namespace: pod.Namespace, UID: pod.UID},
			Target:     corev1.ObjectReference{Kind: "Node", Name: k.node}}, metav1.CreateOptions{}))
	}
	ready := corev1.ConditionTrue
	if pod.Annotations[annotationReady] == "false" {
		ready = corev1.ConditionFalse
	}
	if pod.Status.Phase == corev1.PodRunning && readiness(pod) == ready {
		return nil
	}
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"uid": pod.UID}, "status": k.status(pod, ready)})
	if err != nil {
		return err
	}
	_, err = pods.Patch(ctx, pod.Name, types.MergePatchType, patch, metav1.PatchOptions{}, "status")
	return ignoreGone(err)
}

// Gone, or bound already: the watch is about to say so.
func ignoreGone(err error) error {
	if apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
		return nil
	}
	return err
}

func readiness(pod *corev1.Pod) corev1.ConditionStatus {
	for _, condition := range pod.Status.Conditions {
		if condition.Type == corev1.PodReady {
			return condition.Status
		}
	}
	return corev1.ConditionUnknown
}

func (k *fakeKubelet) status(pod *corev1.Pod, ready corev1.ConditionStatus) *corev1.PodStatus {
	now := metav1.Now()
	status := &corev1.PodStatus{Phase: corev1.PodRunning, StartTime: pod.Status.StartTime, PodIP: pod.Status.PodIP, HostIP: "127.0.0.1"}
	if status.StartTime == nil {
		status.StartTime = &now
	}
	if status.PodIP == "" {
		status.PodIP = <-k.addresses
	}
	status.PodIPs, status.HostIPs = []corev1.PodIP{{IP: status.PodIP}}, []corev1.HostIP{{IP: status.HostIP}}
	for _, each := range []struct {
		kind corev1.PodConditionType
		is   corev1.ConditionStatus
	}{{corev1.PodScheduled, corev1.ConditionTrue}, {corev1.PodInitialized, corev1.ConditionTrue}, {corev1.ContainersReady, ready}, {corev1.PodReady, ready}} {
		status.Conditions = append(status.Conditions, corev1.PodCondition{Type: each.kind, Status: each.is, LastTransitionTime: now})
	}
	started := true
	for _, container := range pod.Spec.Containers {
		status.ContainerStatuses = append(status.ContainerStatuses, corev1.ContainerStatus{
			Name: container.Name, Image: container.Image, Started: &started, Ready: ready == corev1.ConditionTrue,
			State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: *status.StartTime}}})
	}
	return status
}
