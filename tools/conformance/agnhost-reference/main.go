// Agnhost-reference prints the name under which the specs ask for their test image.
package main

import (
	"fmt"

	"k8s.io/kubernetes/test/utils/image"
)

func main() {
	fmt.Println(image.GetE2EImage(image.Agnhost))
}
